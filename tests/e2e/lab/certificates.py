"""An authority and certificates for the origin RPC over TCP, made with openssl as docs/operations.md
tells an operator to."""
import subprocess


class Certificates:
    """Files below the lab's directory. They are valid for a day."""

    def __init__(self, lab):
        self._directory = lab.directory("tls")
        self._run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc",
                  "-subj", "/CN=lab origins", "-days", "1", "-keyout", self._path("ca.key"),
                  "-out", self._path("ca.pem"))

    def issue(self, name, address):
        """The keys of a daemon's configuration: a certificate of its own that names `address`."""
        self._run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc",
                  "-subj", f"/CN={name}", "-addext", f"subjectAltName=IP:{address}",
                  "-addext", "basicConstraints=critical,CA:FALSE", "-days", "1",
                  "-CA", self._path("ca.pem"), "-CAkey", self._path("ca.key"),
                  "-keyout", self._path(f"{name}.key"), "-out", self._path(f"{name}.pem"))
        return {"tls-cert": self._path(f"{name}.pem"), "tls-key": self._path(f"{name}.key"),
                "tls-ca": self._path("ca.pem")}

    def _path(self, name):
        return f"{self._directory}/{name}"

    @staticmethod
    def _run(*arguments):
        result = subprocess.run(["openssl", *arguments], capture_output=True, text=True,
                                check=False)
        if result.returncode != 0:
            raise RuntimeError(f"openssl {' '.join(arguments)}: {result.stderr.strip()}")
