"""Glyphs of the node's graphical shell: Latin-1 in cells of 8 by 13 pixels, one byte a row, the left pixel highest.

Made from `8x13-ISO8859-1` of the X Window System's font-misc-misc: "Public domain font. Share and enjoy."
"""

from __future__ import annotations

import base64
import zlib

WIDTH, HEIGHT = 8, 13

_PACKED = (
    "c-n1NF>4$<5Ejc4#N#l+xL6+MWicv_R7*&493m`>Fw0@WahMdrg*ig15Uy}>#UjiWDN-F<r3kM`d1Zb<NReNWDn+UkAwM8wW;9yq"
    "oQ%Erz8&e)C(Y<P3vm$2hfoN#)=5fh2S5IeGRx)c<YY_3&Q@AVr5{*7u4>zAVdu;i=jSj;DJgRVC4K^25_91SooeXPc@VRz=1-lt"
    "qj!cQvn-dYtZ#4eRiPUUT~NMS(uQcBX__oA%Gx1tFy}PO8bjJ9C)!$<lQvh^SL={DEfF;y;2acPGFw9rgY!Aam?g5jHva3kKsuGo"
    "GnVh@7o*14xQS7yltMCivU<9x&A2%S4}z_2EIoc$jp60MTMVCp{nT4{Tng%O&J$3MpkZdB?zj=?-0tTTmNwVec6q&QEe)$Vh`R4T"
    "?}wr9d(XCBEzX(EG(JdM2Oqkq0AsZ<S;z!x)Mi2zeyPxyEOcb+du#1<I#nL@{V)uB%bBT~S}%t{AaK52ylPYWAhz3EszXNg*-9UD"
    "h`=QNj9-wDcix%oF`sDdTW5V0GEJyYmSywvhKEtcapv@_EIZW0nYp#I+F*{^{E5N^t;YI@Tui7ySRoi@+YKLLm6j3WJDkqYGf3FD"
    "5GH2US6m?hLb0`d%U+!&+DubTc#ao+cFGxxF^_=jLxl+S!Aj}^8ae>FLd@r|LR6n4aEb~p-BDsszKk2VixaSs4SC3AEB+ozBy-g4"
    "a=E<ZiwS4F0oCg-EWl`O8WGy13pV5p(GwK9EVM3ia+d>poY`Ujen0q2B4)X<W^}7#-R@d_JdSnYIO!A<g8hd*6S#B>xa3`b?7Y{?"
    "s@{rVyh^qe1F7yD1J?J&Gc4)jo12?QClDk3A7>^DQC`E*Y=nrWF2X_rHv?Ou9{&hE{q3LQfA2B4_?b=Ae*ms`r5avvhN@83zQy3m"
    "ppQ9fJ`frKd<{hK@FD?P9}FuZ5U+N--Mb&V-TwzR2)wY4Be!#Yod{r^2y_Zc#opKXIT65|2&_#2+3i=h+vjgZ|LOhk=5^0(Xi9xx"
    "8v(M70Omx1)FU{!B$+v1ELN-4+SEiHZBV8Fs3Xw&aG3QzNTmx-?7I(q{i12etKi_Gi{&W*?g*ej5$GfX^+_@iFOR$3@bbV0u|aX2"
    "(fQy-1h~!!bPCGU`QZPD2&y&#Z31*L&7;48>gar>N}NxofD|NiBG73@&{Z7&U%?Xj`XF_*L74)ej$k@H9G2K%`1-&K`8rbOH}yVJ"
    "-2"
)

_CODES = [*range(32, 127), *range(160, 256)]


def load() -> dict[str, bytes]:
    """Rows of each character's glyph."""
    rows = zlib.decompress(base64.b85decode(_PACKED))
    return {chr(code): rows[at * HEIGHT : (at + 1) * HEIGHT] for at, code in enumerate(_CODES)}
