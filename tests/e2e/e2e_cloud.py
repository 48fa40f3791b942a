"""AWS's public host names, over TLS, behind a proxy, served by ts-local.

The programs under test are given no endpoint: they must find Timestream by endpoint discovery, speak TLS to names like
bucket.s3.us-east-1.amazonaws.com, and reach all of it through HTTPS_PROXY.
"""

import datetime
import ipaddress
import json
import socket
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from e2e_proxy import Listener, describe, read_message


def make_authority(folder, names):
    """A certificate authority and a server certificate for `names`; gives the paths of CA, certificate and key."""
    now = datetime.datetime.now(datetime.timezone.utc)

    def certificate(subject, key, issuer, issuer_key, *extensions):
        builder = (x509.CertificateBuilder()
                   .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
                   .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
                   .public_key(key.public_key()).serial_number(x509.random_serial_number())
                   .not_valid_before(now - datetime.timedelta(days=1))
                   .not_valid_after(now + datetime.timedelta(days=2)))
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(issuer_key, hashes.SHA256())

    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = certificate("Test authority", authority_key, "Test authority", authority_key,
                            (x509.BasicConstraints(ca=True, path_length=0), True))
    server_key = ec.generate_private_key(ec.SECP256R1())
    alternatives = x509.SubjectAlternativeName(
        [x509.DNSName(name) for name in names] + [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    server = certificate("aws.test", server_key, "Test authority", authority_key, (alternatives, False))
    files = []
    for name, blob in (
            ("ca.pem", authority.public_bytes(serialization.Encoding.PEM)),
            ("server.pem", server.public_bytes(serialization.Encoding.PEM)),
            ("server.key", server_key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                                    serialization.NoEncryption()))):
        (folder / name).write_bytes(blob)
        files.append(folder / name)
    return files


class Cloud(Listener):
    """A CONNECT proxy that plays AWS. DescribeEndpoints answers a cell; a cell in `retired` answers 421."""

    def __init__(self, folder, upstream_port, region="us-east-1"):
        self.region, self.upstream_port = region, upstream_port
        self.tunnels = []   # host:port of each CONNECT
        self.requests = []  # (host, request line with operation)
        self.retired = set()
        self.cell = 1
        self.refuse = None  # e.g. 407: the proxy's answer to every CONNECT
        suffix = f"{region}.amazonaws.com"
        self.ca, certificate, key = make_authority(folder, [
            f"*.s3.{suffix}", f"s3.{suffix}", f"sts.{suffix}", f"sns.{suffix}", f"*.timestream.{suffix}"])
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(certificate, key)
        super().__init__()

    def hosts(self):
        return {host for host, _ in self.requests}

    def count(self, host, operation):
        return sum(1 for found, line in self.requests if found == host and operation in line)

    def _serve(self, client):
        try:
            with client:
                head, _ = read_message(client.makefile("rb", buffering=0))
                method, target, _ = head.decode("latin-1").split(" ", 2)
                assert method == "CONNECT", head
                with self.lock:
                    self.tunnels.append(target)
                if self.refuse:
                    client.sendall(f"HTTP/1.1 {self.refuse} No\r\nContent-Length: 0\r\n\r\n".encode())
                    return
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                with self.tls.wrap_socket(client, server_side=True) as secure:
                    self._serve_tunnel(secure, target.rsplit(":", 1)[0])
        except (OSError, ValueError):
            pass  # the program has gone, or took no certificate of ours

    def _serve_tunnel(self, secure, host):
        stream = secure.makefile("rb")
        with socket.create_connection(("127.0.0.1", self.upstream_port)) as upstream:
            answers = upstream.makefile("rb")
            while True:
                head, body = read_message(stream)
                if not head:
                    return
                line = describe(head)
                with self.lock:
                    self.requests.append((host, line))
                answer = self._own_answer(host, line)
                if answer is None:
                    upstream.sendall(head + body)
                    answer = b"".join(read_message(answers, no_body=line.startswith("HEAD ")))
                    if not answer:
                        return
                secure.sendall(answer)

    def _own_answer(self, host, line):
        regional = {f"{kind}.timestream.{self.region}.amazonaws.com": kind for kind in ("query", "ingest")}
        if line.endswith(".DescribeEndpoints"):
            address = f"{regional[host]}-cell{self.cell}.timestream.{self.region}.amazonaws.com"
            return self._json(200, {"Endpoints": [{"Address": address, "CachePeriodInMinutes": 1440}]})
        if host in self.retired:
            return self._json(421, {"__type": "com.amazonaws.timestream.v20181101#InvalidEndpointException",
                                    "Message": "The requested endpoint was invalid."})
        if host in regional:  # the regional host takes no other call
            return self._json(400, {"__type": "com.amazon.coral.service#UnknownOperationException"})
        return None

    @staticmethod
    def _json(status, document):
        body = json.dumps(document).encode()
        return (f"HTTP/1.1 {status} X\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {len(body)}\r\n"
                "\r\n").encode() + body
