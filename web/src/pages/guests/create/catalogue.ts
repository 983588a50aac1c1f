/** Cloud images that their makers publish for everybody, at addresses that stay. All are for x86-64. */

export interface CloudImage {
  id: string
  name: string
  url: string
  /** The name under which it is kept; some makers call a qcow2 image `.img`. */
  filename: string
  /** The user that the image makes when none is given. */
  user: string
  /** Bytes to download, about. */
  size: number
}

const MiB = 1024 * 1024

export const CLOUD_IMAGES: readonly CloudImage[] = [
  {
    id: 'debian-13',
    name: 'Debian 13',
    url: 'https://cloud.debian.org/images/cloud/trixie/latest/debian-13-genericcloud-amd64.qcow2',
    filename: 'debian-13-genericcloud-amd64.qcow2',
    user: 'debian',
    size: 330 * MiB,
  },
  {
    id: 'debian-12',
    name: 'Debian 12',
    url: 'https://cloud.debian.org/images/cloud/bookworm/latest/debian-12-genericcloud-amd64.qcow2',
    filename: 'debian-12-genericcloud-amd64.qcow2',
    user: 'debian',
    size: 340 * MiB,
  },
  {
    id: 'ubuntu-26.04',
    name: 'Ubuntu 26.04 LTS minimal',
    url: 'https://cloud-images.ubuntu.com/minimal/releases/resolute/release/ubuntu-26.04-minimal-cloudimg-amd64.img',
    filename: 'ubuntu-26.04-minimal-cloudimg-amd64.qcow2',
    user: 'ubuntu',
    size: 300 * MiB,
  },
  {
    id: 'ubuntu-24.04',
    name: 'Ubuntu 24.04 LTS minimal',
    url: 'https://cloud-images.ubuntu.com/minimal/releases/noble/release/ubuntu-24.04-minimal-cloudimg-amd64.img',
    filename: 'ubuntu-24.04-minimal-cloudimg-amd64.qcow2',
    user: 'ubuntu',
    size: 270 * MiB,
  },
  {
    id: 'almalinux-9',
    name: 'AlmaLinux 9',
    url: 'https://repo.almalinux.org/almalinux/9/cloud/x86_64/images/AlmaLinux-9-GenericCloud-latest.x86_64.qcow2',
    filename: 'AlmaLinux-9-GenericCloud-latest.x86_64.qcow2',
    user: 'almalinux',
    size: 500 * MiB,
  },
  {
    id: 'fedora-43',
    name: 'Fedora Cloud 43',
    url: 'https://download.fedoraproject.org/pub/fedora/linux/releases/43/Cloud/x86_64/images/Fedora-Cloud-Base-Generic-43-1.6.x86_64.qcow2',
    filename: 'Fedora-Cloud-Base-Generic-43-1.6.x86_64.qcow2',
    user: 'fedora',
    size: 556 * MiB,
  },
  {
    id: 'alpine-3.24',
    name: 'Alpine Linux 3.24',
    url: 'https://dl-cdn.alpinelinux.org/alpine/v3.24/releases/cloud/generic_alpine-3.24.1-x86_64-bios-cloudinit-r0.qcow2',
    filename: 'generic_alpine-3.24.1-x86_64-bios-cloudinit-r0.qcow2',
    user: 'alpine',
    size: 180 * MiB,
  },
]
