"""Sends a request over TLS that is made by Python code alone: no library's functions to read it at. Arguments: host, port."""
import socket
import sys

from tlslite.api import TLSConnection

connection = TLSConnection(socket.create_connection((sys.argv[1], int(sys.argv[2]))))
connection.handshakeClientCert(serverName="localhost")
body = b'{"padding": "%s"}' % (b"x" * 2000)
head = "POST /v1/unknown HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
connection.write(head.encode() + body)
connection.read(max=100000, min=1)
connection.close()
