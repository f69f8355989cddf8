"""The amavisd.conf and the SpamAssassin rules of a node."""
import os

from . import rbldnsd
from .programs import REPOSITORY

#: The policy bank of the listed clients, and the SpamAssassin rule of the blocklist.
BANK = "LISTED"
RULE = "LAB_LISTED"


def configuration(node, home, forward, servers, extra):
    return f"""use strict;
$max_servers = {servers};
$max_requests = 1000;
$daemon_user = 'amavis';
$daemon_group = 'amavis';
$mydomain = 'lab.test';
$myhostname = '{node.name}.lab.test';
$MYHOME = '{home}';
$TEMPBASE = '{home}/tmp';
$ENV{{TMPDIR}} = $TEMPBASE;
$db_home = '{home}/db';
$QUARANTINEDIR = '{home}/quarantine';
$lock_file = '{home}/amavisd.lock';
$pid_file = '{home}/amavisd.pid';
$enable_db = 0;
$log_level = 2;
$do_syslog = 0;
$LOGFILE = '{home}/amavis.log';
$inet_socket_bind = '{node.address}';
$inet_socket_port = {node.port};
@inet_acl = qw(127.0.0.0/8 [::1] 198.18.0.0/15);
@mynetworks = qw(127.0.0.0/8 198.18.0.0/15);
$forward_method = '{forward}';
$notify_method = $forward_method;
$virus_quarantine_method = undef;
$spam_quarantine_method = undef;
$banned_files_quarantine_method = undef;
$bad_header_quarantine_method = undef;
$log_recip_templ = undef;
@local_domains_maps = (1);
@bypass_virus_checks_maps = (1);
@bypass_banned_checks_maps = (1);
@bypass_header_checks_maps = (1);
$final_spam_destiny = D_PASS;
$final_bad_header_destiny = D_PASS;
$sa_local_tests_only = 0;
$sa_mail_body_size_limit = 400*1024;
$sa_tag_level_deflt = -999;
$sa_tag2_level_deflt = 50;
$sa_kill_level_deflt = 100;
$sa_configpath = '{home}-sa/rules';
$sa_siteconfigpath = '{home}-sa/site';
$sa_userprefs_file = '{home}-sa/user_prefs';
$helpers_home = $MYHOME;
@client_ipaddr_policy = (
  [qw({rbldnsd.LISTED_V4} [{rbldnsd.LISTED_V6}])] => '{BANK}',
);
$policy_bank{{'{BANK}'}} = {{ log_level => 3 }};
# One line with all that the tests want to know.
$log_templ = 'FACTS peer=[:REMOTEHOSTADDR] client=[:client_addr] port=[:client_port] queue=%Q'
  . ' mail_id=%i banks=%p helo=[:client_helo] tests=[%T|,] rcpts=[%R|,] response=[:smtp_response]';
{extra}
1;
"""


def proxy_snippets(lab, name, proxy):
    """The -c files that come after the node's own: for v2 the sample of contrib/amavis."""
    if proxy == "off":
        return []
    if proxy == "v1":
        return [lab.write(f"{name}-proxy.conf", "use strict; $haproxy_target_enabled = 1; 1;\n")]
    contrib = os.path.join(REPOSITORY, "contrib", "amavis")
    with open(os.path.join(contrib, "60-millrace"), encoding="utf-8") as file:
        sample = file.read()
    installed = "/usr/local/share/millrace/amavis"
    assert installed in sample, "the sample says where the module is installed"
    modules = install_modules(lab, name, contrib)
    return [lab.write(f"{name}-proxy.conf", sample.replace(installed, modules))]


def install_modules(lab, name, contrib):
    """A copy that amavisd's own user can read, wherever the repository stands."""
    lab.directory(f"{name}-modules/Millrace")
    for module in os.listdir(os.path.join(contrib, "Millrace")):
        with open(os.path.join(contrib, "Millrace", module), encoding="utf-8") as file:
            lab.write(f"{name}-modules/Millrace/{module}", file.read())
    return lab.path(f"{name}-modules")


def write_spamassassin(lab, name, dns):
    """A rule set of our own: what is tested is one rule, and a node starts in a second."""
    lab.directory(f"{name}-sa/rules")
    lab.directory(f"{name}-sa/site")
    lab.write(f"{name}-sa/user_prefs", "")
    lab.write(
        f"{name}-sa/site/init.pre",
        "loadplugin Mail::SpamAssassin::Plugin::Check\n"
        "loadplugin Mail::SpamAssassin::Plugin::DNSEval\n"
        "loadplugin Mail::SpamAssassin::Plugin::HeaderEval\n",
    )
    lab.write(
        f"{name}-sa/rules/10_lab.cf",
        "header LAB_SUBJECT exists:Subject\nscore LAB_SUBJECT 0.1\n"
        f"header {RULE} eval:check_rbl('lab-lastexternal', '{rbldnsd.ZONE}.')\n"
        f"tflags {RULE} net\nscore {RULE} 3\n",
    )
    lab.write(
        f"{name}-sa/site/local.cf",
        (f"dns_server {dns}\ndns_available yes\n" if dns else "dns_available no\n")
        + "use_bayes 0\nskip_rbl_checks 0\nrbl_timeout 10\n"
        "trusted_networks 127.0.0.0/8 198.18.0.0/15\n"
        "internal_networks 127.0.0.0/8 198.18.0.0/15\n",
    )
