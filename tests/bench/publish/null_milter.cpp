// bench_null_milter: accepts every message and does nothing else. It negotiates as millrace-milter
// does, the same steps without a reply and the same macros, so what it costs is what Postfix and
// libmilter take for any milter at all.
//
// Usage: bench_null_milter ADDRESS    as libmilter writes them: inet:PORT@[HOST], unix:/PATH
#include <libmilter/mfapi.h>

#include <cstdlib>
#include <iostream>
#include <string>

namespace {

constexpr unsigned long kSteps = SMFIP_NORCPT | SMFIP_NOBODY | SMFIP_NOEOH | SMFIP_NOUNKNOWN |
                                 SMFIP_NOHDRS | SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_MAIL;

void ask_for(SMFICTX* context, int stage, std::string macros) {
    (void)smfi_setsymlist(context, stage, macros.data());
}

extern "C" {

sfsistat on_negotiate(SMFICTX* context, unsigned long offered_actions, unsigned long offered_steps,
                      unsigned long, unsigned long, unsigned long* actions, unsigned long* steps,
                      unsigned long* unused2, unsigned long* unused3) {
    *actions = offered_actions & SMFIF_SETSYMLIST;
    *steps = offered_steps & kSteps;
    *unused2 = *unused3 = 0;
    ask_for(context, SMFIM_CONNECT,
            "j {daemon_name} {daemon_addr} {client_name} {client_ptr} {client_resolve}");
    ask_for(context, SMFIM_ENVFROM, "{client_addr} {auth_authen} {tls_version} {cipher}");
    ask_for(context, SMFIM_EOM, "i");
    return SMFIS_CONTINUE;
}

sfsistat on_connect(SMFICTX*, char*, sockaddr*) {
    return SMFIS_NOREPLY;
}

sfsistat on_helo(SMFICTX*, char*) {
    return SMFIS_NOREPLY;
}

sfsistat on_mail(SMFICTX*, char**) {
    return SMFIS_NOREPLY;
}

sfsistat on_data(SMFICTX*) {
    return SMFIS_CONTINUE;
}

sfsistat on_end_of_message(SMFICTX*) {
    return SMFIS_CONTINUE;
}

}  // extern "C"

bool open_service(std::string address) {
    static char name[] = "bench-null-milter";
    smfiDesc filter{};
    filter.xxfi_name = &name[0];
    filter.xxfi_version = SMFI_VERSION;
    filter.xxfi_flags = SMFIF_SETSYMLIST;
    filter.xxfi_negotiate = on_negotiate;
    filter.xxfi_connect = on_connect;
    filter.xxfi_helo = on_helo;
    filter.xxfi_envfrom = on_mail;
    filter.xxfi_data = on_data;
    filter.xxfi_eom = on_end_of_message;
    return smfi_setconn(address.data()) == MI_SUCCESS && smfi_register(filter) == MI_SUCCESS &&
           smfi_opensocket(false) == MI_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2 || !open_service(argv[1])) {
        std::cerr << "bench_null_milter: no service; usage: bench_null_milter ADDRESS\n";
        return EXIT_FAILURE;
    }
    return smfi_main() == MI_SUCCESS ? EXIT_SUCCESS : EXIT_FAILURE;
}
