"""The main.cf and master.cf of a private instance."""

#: Mail to this domain is held by the ingress until Postfix.release().
HELD_DOMAIN = "hold.lab.test"
DOMAIN = "rcpt.lab.test"


def main(postfix, sink_path, data_directory):
    address = postfix.host.address
    return {
        # What makes the instance private.
        "compatibility_level": "3.6",
        "queue_directory": postfix.queue,
        "data_directory": data_directory,
        "maillog_file": postfix.log.path,
        "maillog_file_prefixes": postfix.log.path.rpartition("/")[0],
        "import_environment": "MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ",
        "syslog_name": postfix.host.name,
        "myhostname": postfix.hostname,
        "mydestination": "",
        "alias_maps": "",
        "alias_database": "",
        # Only addresses of real interfaces may stand here; 127.0.0.2 is none.
        "inet_interfaces": f"{address}, 127.0.0.1" if postfix.host.netns else "127.0.0.1",
        "inet_protocols": "all",
        "smtp_bind_address": "" if postfix.host.netns else address,
        "lmtp_bind_address": "" if postfix.host.netns else address,
        "smtp_dns_support_level": "disabled",
        "smtp_host_lookup": "native",
        "smtpd_peername_lookup": "no",
        "smtpd_tls_security_level": "none",
        "smtp_tls_security_level": "none",
        # Who may send, and where mail ends.
        "mynetworks": "127.0.0.0/8",
        "relay_domains": f"{DOMAIN}, {HELD_DOMAIN}, sender.lab.test",
        "relay_transport": f"lmtp:unix:{sink_path}",
        "lmtp_line_length_limit": "0",
        "smtp_line_length_limit": "0",
        "message_size_limit": "104857600",
        "mailbox_size_limit": "0",
        # Whoever the client has become may become another one in the same session.
        "smtpd_authorized_xclient_hosts": "0.0.0.0/0, [::]/0",
        "smtpd_client_connection_count_limit": "0",
        "smtpd_client_restrictions": "",
        "smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destination",
        "smtpd_recipient_restrictions":
            f"check_recipient_access inline:{{{{{HELD_DOMAIN}=HOLD}}}}, permit",
        # Nobody waits five minutes for a retry here.
        "minimal_backoff_time": "1s",
        "maximal_backoff_time": "2s",
        "queue_run_delay": "1s",
        "transport_retry_time": "1s",
        "bounce_queue_lifetime": "1h",
        # As contrib/postfix has them for an ingress with Millrace.
        "local_header_rewrite_clients": "",
        "enable_long_queue_ids": "yes",
        "milter_default_action": "tempfail",
        "milter_protocol": "6",
    }


_COMMON = """\
pickup    unix  n  -  n  1    1  pickup
cleanup   unix  n  -  n  -    0  cleanup
qmgr      unix  n  -  n  300  1  qmgr
rewrite   unix  -  -  n  -    -  trivial-rewrite
bounce    unix  -  -  n  -    0  bounce
defer     unix  -  -  n  -    0  bounce
trace     unix  -  -  n  -    0  bounce
verify    unix  -  -  n  -    1  verify
flush     unix  n  -  n  1000? 0 flush
proxymap  unix  -  -  n  -    -  proxymap
smtp      unix  -  -  n  -    -  smtp
relay     unix  -  -  n  -    -  smtp
lmtp      unix  -  -  n  -    -  lmtp
showq     unix  n  -  n  -    -  showq
error     unix  -  -  n  -    -  error
retry     unix  -  -  n  -    -  error
discard   unix  -  -  n  -    -  discard
anvil     unix  -  -  n  -    1  anvil
scache    unix  -  -  n  -    1  scache
postlog   unix-dgram n - n -  1  postlogd
"""


def master(postfix, filter_service):
    """`filter_service`: protocol (smtp or lmtp), processes, and -o options of the client."""
    protocol = filter_service.get("protocol", "smtp")
    options = {
        f"{protocol}_send_xforward_command": "yes",
        f"{protocol}_data_done_timeout": "1200s",
        f"{protocol}_line_length_limit": "0",
        "disable_mime_output_conversion": "yes",
        **filter_service.get("options", {}),
    }
    client = "".join(f"\n  -o {key}={value}" for key, value in options.items())
    return (
        f"{postfix.ingress_address}:{postfix.ingress} inet n - n - - smtpd\n"
        f"{postfix.host.address}:{postfix.reentry} inet n - n - - smtpd\n"
        "  -o syslog_name=reentry\n"
        "  -o content_filter=\n"
        "  -o smtpd_milters=\n"
        "  -o mynetworks=0.0.0.0/0\n"
        "  -o smtpd_recipient_restrictions=permit_mynetworks,reject\n"
        "  -o smtpd_authorized_xclient_hosts=\n"
        "  -o smtpd_authorized_xforward_hosts=0.0.0.0/0\n"
        "  -o receive_override_options=no_unknown_recipient_checks,no_header_body_checks\n"
        f"millrace unix - - n - {filter_service.get('processes', 10)} {protocol}{client}\n" + _COMMON
    )
