#include "milter/callbacks.hpp"

#include "milter/negotiation.hpp"
#include "milter/session_service.hpp"
#include "milter/socket_address.hpp"

#include <libmilter/mfapi.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>

#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace millrace::milter {
namespace {

constexpr std::size_t kPacketMax = 1024UL * 1024;  // a header field; Postfix's own limit is 100 KiB

// What the callbacks need and libmilter cannot carry for them. Never destroyed: libmilter's threads
// may outlive main().
SessionService* service = nullptr;
bool is_over_tcp = false;

Session* find_session(SMFICTX* context) {
    return static_cast<Session*>(smfi_getpriv(context));
}

// Null when there is no memory for one.
Session* adopt(SMFICTX* context, std::unique_ptr<Session> session) {
    if (smfi_setpriv(context, session.get()) != MI_SUCCESS) {
        return nullptr;
    }
    return session.release();
}

sfsistat reply(bool is_expected) {
    return is_expected ? SMFIS_CONTINUE : SMFIS_NOREPLY;
}

sfsistat reply(Verdict verdict) {
    return verdict == Verdict::accept ? SMFIS_CONTINUE : SMFIS_TEMPFAIL;
}

std::string text_or_empty(const char* text) {
    return text == nullptr ? std::string{} : std::string{text};
}

std::string macro(SMFICTX* context, std::string name) {
    return text_or_empty(smfi_getsymval(context, name.data()));
}

Macros read_macros(SMFICTX* context) {
    Macros macros;
    macros.ingress = macro(context, "j");
    macros.queue_id = macro(context, "i");
    macros.client_address = macro(context, "{client_addr}");
    macros.client_name = macro(context, "{client_name}");
    macros.client_ptr = macro(context, "{client_ptr}");
    macros.client_resolve = macro(context, "{client_resolve}");
    macros.sasl_login = macro(context, "{auth_authen}");
    macros.tls_version = macro(context, "{tls_version}");
    macros.tls_cipher = macro(context, "{cipher}");
    macros.daemon_name = macro(context, "{daemon_name}");
    macros.daemon_address = macro(context, "{daemon_addr}");
    return macros;
}

std::optional<Endpoint> to_endpoint(const sockaddr* address) {
    if (address != nullptr && address->sa_family == AF_INET) {
        sockaddr_in native{};
        std::memcpy(&native, address, sizeof(native));
        return Endpoint{boost::asio::ip::address_v4{ntohl(native.sin_addr.s_addr)},
                        ntohs(native.sin_port)};
    }
    if (address != nullptr && address->sa_family == AF_INET6) {
        sockaddr_in6 native{};
        std::memcpy(&native, address, sizeof(native));
        boost::asio::ip::address_v6::bytes_type octets{};
        std::memcpy(octets.data(), &native.sin6_addr, octets.size());
        return Endpoint{unmapped(boost::asio::ip::address_v6{octets}), ntohs(native.sin6_port)};
    }
    return std::nullopt;
}

// Runs one event of a session, which there may be none of when memory ran out.
template <typename Event>
sfsistat deliver(SMFICTX* context, bool (ProtocolSteps::*expects_reply)() const, Event event) {
    Session* session = find_session(context);
    if (session == nullptr) {
        return reply((service->last_steps().*expects_reply)());
    }
    const bool is_expected = (session->steps.*expects_reply)();
    try {
        event(session->tracker);
    } catch (...) {
        session->is_broken = true;
    }
    return reply(is_expected);
}

extern "C" {

// NOLINTNEXTLINE(readability-function-size): the signature is libmilter's
sfsistat on_negotiate(SMFICTX* context, unsigned long offered_actions, unsigned long offered_steps,
                      unsigned long /*unused*/, unsigned long /*unused*/, unsigned long* actions,
                      unsigned long* steps, unsigned long* unused2, unsigned long* unused3) {
    try {
        const ProtocolSteps chosen =
            choose_steps(offered_steps, service->wants_headers(), is_over_tcp);
        *actions = 0;
        *steps = chosen.bits;
        *unused2 = 0;
        *unused3 = 0;
        if (takes_macro_lists(offered_actions)) {
            *actions = SMFIF_SETSYMLIST;
            for (const MacroList& list : macro_lists()) {
                std::string names{list.names};
                (void)smfi_setsymlist(context, list.stage, names.data());
            }
        }
        adopt(context, service->make_session(chosen));
        return SMFIS_CONTINUE;
    } catch (...) {
        return SMFIS_REJECT;  // of the negotiation: the MTA does as its default action says
    }
}

sfsistat on_connect(SMFICTX* context, char* /*host*/, sockaddr* address) {
    try {
        if (find_session(context) == nullptr) {
            adopt(context, service->make_session(service->last_steps()));
        }
    } catch (...) {
        // deliver() copes without a session
    }
    return deliver(context, &ProtocolSteps::replies_to_connect,
                   [&](MessageTracker& tracker) { tracker.connect(to_endpoint(address)); });
}

sfsistat on_helo(SMFICTX* context, char* name) {
    return deliver(context, &ProtocolSteps::replies_to_helo,
                   [&](MessageTracker& tracker) { tracker.helo(text_or_empty(name)); });
}

sfsistat on_mail(SMFICTX* context, char** arguments) {
    const bool has_parameters =
        arguments != nullptr && arguments[0] != nullptr && arguments[1] != nullptr;
    return deliver(context, &ProtocolSteps::replies_to_mail,
                   [&](MessageTracker& tracker) { tracker.mail(has_parameters); });
}

// Only the answer matters (negotiation.hpp).
sfsistat on_data(SMFICTX* /*unused*/) {
    return SMFIS_CONTINUE;
}

// NOLINTNEXTLINE(readability-non-const-parameter): the signature is libmilter's
sfsistat on_header(SMFICTX* context, char* name, char* value) {
    return deliver(context, &ProtocolSteps::replies_to_header, [&](MessageTracker& tracker) {
        if (name != nullptr && value != nullptr) {
            tracker.header(name, value);
        }
    });
}

sfsistat on_end_of_message(SMFICTX* context) {
    Session* session = find_session(context);
    if (session == nullptr || session->is_broken) {
        return reply(service->on_error());
    }
    try {
        const auto now = std::chrono::system_clock::now();
        return reply(
            service->finish_message(session->tracker.end_of_message(read_macros(context), now)));
    } catch (...) {
        session->tracker.abort();
        return reply(service->on_error());
    }
}

sfsistat on_abort(SMFICTX* context) {
    if (Session* session = find_session(context)) {
        session->tracker.abort();
    }
    return SMFIS_CONTINUE;
}

sfsistat on_close(SMFICTX* context) {
    const std::unique_ptr<Session> session{find_session(context)};
    smfi_setpriv(context, nullptr);
    return SMFIS_CONTINUE;
}

}  // extern "C"

void register_filter() {
    static char name[] = "millrace-milter";
    smfiDesc filter{};
    filter.xxfi_name = &name[0];
    filter.xxfi_version = SMFI_VERSION;
    filter.xxfi_flags = SMFIF_SETSYMLIST;
    filter.xxfi_negotiate = on_negotiate;
    filter.xxfi_connect = on_connect;
    filter.xxfi_helo = on_helo;
    filter.xxfi_envfrom = on_mail;
    filter.xxfi_data = on_data;
    filter.xxfi_header = on_header;
    filter.xxfi_eom = on_end_of_message;
    filter.xxfi_abort = on_abort;
    filter.xxfi_close = on_close;
    if (smfi_register(filter) != MI_SUCCESS) {
        throw std::system_error(ENOMEM, std::generic_category(), "libmilter: cannot register");
    }
}

// libmilter writes addresses as FAMILY:PORT@[HOST].
std::string libmilter_address(const ListenAddress& listen) {
    if (const auto* unix_path = std::get_if<UnixPath>(&listen)) {
        return "unix:" + unix_path->path;
    }
    const auto& endpoint = std::get<Endpoint>(listen);
    return (endpoint.address.is_v4() ? "inet:" : "inet6:") + std::to_string(endpoint.port) + "@[" +
           to_string(endpoint.address) + "]";
}

// Readable when the service is to end.
int end_descriptor = -1;

void request_end() {
    const int error = errno;
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(end_descriptor, &one, sizeof(one));
    errno = error;
}

void wait_for_end() {
    std::uint64_t count = 0;
    while (::read(end_descriptor, &count, sizeof(count)) < 0 && errno == EINTR) {
    }
}

extern "C" void on_signal(int /*number*/) {
    request_end();
}

}  // namespace

// In place of libc's, for the whole program. libmilter has a thread that calls it for SIGTERM,
// SIGINT and SIGHUP, to end the process in its own time; it would take even a signal that is
// already on its way to the handler above.
extern "C" int sigwait(const sigset_t* /*signals*/, int* /*number*/) {
    for (;;) {
        ::pause();
    }
}

void claim_signals() {
    end_descriptor = eventfd(0, EFD_CLOEXEC);
    if (end_descriptor < 0) {
        throw std::system_error(errno, std::generic_category(), "cannot create an eventfd");
    }
    std::signal(SIGTERM, on_signal);
    std::signal(SIGINT, on_signal);
    std::signal(SIGHUP, SIG_IGN);
    std::signal(SIGPIPE, SIG_IGN);
}

void open_service(const ListenAddress& listen, unsigned mode) {
    const auto* unix_path = std::get_if<UnixPath>(&listen);
    is_over_tcp = unix_path == nullptr;
    if (unix_path != nullptr && knock_at(listen)) {
        throw std::system_error(EADDRINUSE, std::generic_category(), to_string(listen));
    }
    std::string address = libmilter_address(listen);
    if (smfi_setconn(address.data()) != MI_SUCCESS) {
        throw std::system_error(EINVAL, std::generic_category(), to_string(listen));
    }
    register_filter();
    smfi_setbacklog(SOMAXCONN);
    smfi_setmaxdatasize(kPacketMax);
    errno = 0;
    const bool removes_stale_socket = true;
    if (smfi_opensocket(removes_stale_socket) != MI_SUCCESS) {
        throw std::system_error(errno == 0 ? EADDRNOTAVAIL : errno, std::generic_category(),
                                "cannot listen on " + to_string(listen));
    }
    if (unix_path != nullptr && chmod(unix_path->path.c_str(), mode) != 0) {
        throw std::system_error(errno, std::generic_category(),
                                "cannot set the mode of " + unix_path->path);
    }
}

void run_service(const OriginRecorder& recorder, const TrackerOptions& options) {
    service = new SessionService(recorder, options);
    static std::atomic<bool> has_given_up = false;
    std::thread([] {
        has_given_up = smfi_main() != MI_SUCCESS;
        request_end();
    }).detach();
    wait_for_end();
    // No smfi_stop(): it waits up to five seconds for libmilter's listener, and mail that is on its
    // way here would wait as well.
    service->stop();
    if (has_given_up) {
        throw std::runtime_error("libmilter gave up serving; its own log lines say why");
    }
}

void stir_workers(const ListenAddress& listen) {
    knock_at(listen);
}

void close_service(const ListenAddress& listen) {
    if (const auto* unix_path = std::get_if<UnixPath>(&listen)) {
        ::unlink(unix_path->path.c_str());
    }
}

}  // namespace millrace::milter
