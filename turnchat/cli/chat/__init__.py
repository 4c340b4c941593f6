"""The programs turnchat-server and turnchat-client."""
