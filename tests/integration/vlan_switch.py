# SPDX-License-Identifier: BSD-3-Clause
"""vlan_switch.py ACCESS TRUNK ID: a two-port switch, for kernels without 802.1Q.

Frames that come in by the interface ACCESS leave by TRUNK with the tag ID; those of TRUNK with that
tag leave by ACCESS without it, and others are dropped. Says "ready", then works until it is ended.
"""
import select
import socket
import struct
import sys

ETH_P_ALL, ETH_P_8021Q = 3, 0x8100
SOL_PACKET, PACKET_AUXDATA, PACKET_IGNORE_OUTGOING = 263, 8, 23
TP_STATUS_VLAN_VALID = 1 << 4
AUXDATA = struct.Struct("IIIHHHH")  # struct tpacket_auxdata


def open_port(interface):
    port = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    port.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    port.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    port.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 << 20)
    port.bind((interface, ETH_P_ALL))
    return port


def receive(port):
    """A frame without its tag, and the tag's VLAN ID or None. The kernel has taken the tag out."""
    frame, control, _, _ = port.recvmsg(65536, 256)
    for _, kind, data in control:
        if kind == PACKET_AUXDATA:
            status, _, _, _, _, tci, _ = AUXDATA.unpack(data[:AUXDATA.size])
            if status & TP_STATUS_VLAN_VALID:
                return frame, tci & 0xfff
    if frame[12:14] == struct.pack("!H", ETH_P_8021Q):
        return frame[:12] + frame[16:], struct.unpack("!H", frame[14:16])[0] & 0xfff
    return frame, None


def main():
    access, trunk, vlan_id = open_port(sys.argv[1]), open_port(sys.argv[2]), int(sys.argv[3])
    tag = struct.pack("!HH", ETH_P_8021Q, vlan_id)
    print("ready", file=sys.stderr, flush=True)
    while True:
        for port in select.select([access, trunk], [], [])[0]:
            frame, tagged = receive(port)
            if port is access and tagged is None:
                trunk.send(frame[:12] + tag + frame[12:])
            elif port is trunk and tagged == vlan_id:
                access.send(frame)


main()
