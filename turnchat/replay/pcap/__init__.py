"""Export recordings as a capture for Wireshark."""

from turnchat.replay.pcap.export import Capture

__all__ = ["Capture"]
