"""Files into a storage: by upload, from the web."""

from __future__ import annotations

from typing import Annotated

from corral.app import Call
from corral.core.errors import Error, ParamError
from corral.rest import Endpoint, all_of, any_of, endpoint, need, never
from corral.schema.fields import Upload, doc, length, name, pattern, requires
from corral.schema.types import NodeName, StorageId, TaskId
from corral.storage.fetch import Algorithm, Compression
from corral.storage.work import Download, FileContent, ImgCopy

_HEX = pattern(r"[0-9a-fA-F]{32,128}")
Content = Annotated[FileContent, doc("The file's content type.")]


@endpoint(
    "POST",
    "/nodes/{node}/storage/{storage}/upload",
    allow=need("/storage/{storage}", "Datastore.AllocateTemplate"),
    runs="node",
    root=True,
    pool="storage/{storage}",
    spool=lambda app, path: app.storage.spool_dir(path["storage"]),
    plan=never("the body is the file itself, which would have to be sent twice"),
)
def upload(
    call: Call,
    node: NodeName,
    storage: StorageId,
    *,
    content: Content,
    filename: Annotated[
        Upload, doc("The file; its name here becomes the volume's name, after what it can't have is replaced.")
    ],
    checksum: Annotated[
        str | None, _HEX, requires("checksum-algorithm"), doc("The expected checksum of the file.")
    ] = None,
    checksum_algorithm: Annotated[
        Algorithm | None, name("checksum-algorithm"), requires("checksum"), doc("How the checksum is made.")
    ] = None,
) -> TaskId:
    """Upload templates, ISO images, OVAs and VM images."""
    if not isinstance(filename, Upload):
        raise ParamError({"filename": "the request has no file part of this name"})
    storages = call.app.storage
    file = storages.keep_upload(storage, filename.path)
    try:
        return call.spawn(
            ImgCopy(
                storage=storage,
                content=content,
                filename=filename.filename,
                file=file,
                size=filename.size,
                algorithm=checksum_algorithm,
                checksum=checksum,
            )
        )
    except Error:
        storages.spooled(storage, file).unlink(missing_ok=True)
        raise


@endpoint(
    "POST",
    "/nodes/{node}/storage/{storage}/download-url",
    allow=all_of(
        need("/storage/{storage}", "Datastore.AllocateTemplate"),
        any_of(need("/", "Sys.Audit", "Sys.Modify"), need("/nodes/{node}", "Sys.AccessNetwork")),
    ),
    runs="node",
    root=True,
    pool="storage/{storage}",
    example={
        "node": "localhost",
        "storage": "local",
        "content": "iso",
        "filename": "example.iso",
        "url": "http://127.0.0.1:9/example.iso",
    },
)
def download_url(
    call: Call,
    node: NodeName,
    storage: StorageId,
    *,
    content: Content,
    filename: Annotated[str, length(0, 255), doc("The name of the file; what it can't have is replaced.")],
    url: Annotated[str, pattern(r"https?://.*"), doc("Where the file is.")],
    checksum: Annotated[
        str | None, _HEX, requires("checksum-algorithm"), doc("The expected checksum of the file.")
    ] = None,
    checksum_algorithm: Annotated[
        Algorithm | None, name("checksum-algorithm"), requires("checksum"), doc("How the checksum is made.")
    ] = None,
    compression: Annotated[Compression | None, doc("Decompress the file with this algorithm.")] = None,
    verify_certificates: Annotated[
        bool, name("verify-certificates"), doc("Whether the server's certificate must be valid.", default=True)
    ] = True,
) -> TaskId:
    """Download templates, ISO images, OVAs and VM images by using an URL."""
    if compression is not None and content == "vztmpl":
        raise ParamError({"compression": "decompression not supported for vztmpl"})
    # Addresses of the host itself show what its own processes trust: for those who administer it.
    anywhere = call.may("/", "Sys.Modify")
    return call.spawn(
        Download(
            storage=storage,
            content=content,
            filename=filename,
            url=url,
            algorithm=checksum_algorithm,
            checksum=checksum,
            compression=compression,
            verify=verify_certificates,
            anywhere=anywhere,
        )
    )


_REFERENCE = pattern(r"[a-zA-Z\d][\w.\-:/]*:\w[\w.-]{0,127}")


@endpoint(
    "POST",
    "/nodes/{node}/storage/{storage}/oci-registry-pull",
    allow=all_of(need("/storage/{storage}", "Datastore.AllocateTemplate"), need("/nodes/{node}", "Sys.AccessNetwork")),
    runs="node",
    root=True,
    plan=never("containers, whose templates these are, are not supported yet"),
)
def oci_registry_pull(
    call: Call,
    node: NodeName,
    storage: StorageId,
    reference: Annotated[str, _REFERENCE, doc("The image: `REGISTRY/NAME:TAG`.")],
    *,
    filename: Annotated[str | None, length(1, 255), doc("The name of the file.")] = None,
) -> TaskId:
    """Pull an OCI image from a registry. Not supported yet: there are no containers."""
    call.app.storage.need_enabled(storage, "vztmpl")
    raise Error(f"pulling '{reference}' is not supported yet: OCI images are templates of containers")


ENDPOINTS: tuple[Endpoint, ...] = (upload, download_url, oci_registry_pull)
