"""millrace-milter: its configuration and its life."""
from . import logline, programs
from .process import Process


class Milter:
    """`origins` are the sockets of the balancers that it publishes to."""

    def __init__(self, lab, host, origins, settings=None):
        self.host = host
        self.name = f"milter@{host.name}"
        self.port = host.free_port()
        self.settings = programs.merge(
            {
                "log-level": "info",
                "log-target": "stderr",
                "listen": f"inet:127.0.0.1:{self.port}",
                "origin": [f"unix:{path}" for path in origins],
                "publish": "any",
                "timeout": "2s",
                "on-error": "accept",
            },
            settings or {},
        )
        self._config = f"{host.name}-milter.conf"
        self._lab = lab
        self.process = Process(
            self.name,
            host.command(
                [programs.path_of("millrace-milter"), "--config", lab.path(self._config)]
            ),
            lab.path(f"{host.name}-milter.log"),
        )
        self.log = self.process.log
        lab.add(self)

    def publish_over_tls(self, origins, keys):
        """`origins` are ADDRESS:PORT."""
        self.settings = programs.merge(self.settings, {"origin": origins, **keys})

    @property
    def endpoint(self):
        """For smtpd_milters."""
        return f"inet:127.0.0.1:{self.port}"

    def start(self):
        self._lab.write(self._config, programs.render(self.settings))
        self.process.start()
        self.process.wait_until_ready(
            lambda: self.host.is_listening("127.0.0.1", self.port), f"port {self.port}"
        )

    def stop(self):
        return self.process.stop()

    def kill(self):
        self.process.kill()

    def logs(self):
        return [self.log]

    def lines(self):
        return [line for line in map(logline.parse, self.log.lines()) if line]
