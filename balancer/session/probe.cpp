#include "balancer/session/probe.hpp"

#include "balancer/proxy_protocol/header.hpp"

namespace millrace::session {

std::string Probe::connected(const Endpoint& local) const {
    switch (options_.send_proxy) {
        case pool::SendProxy::off:
            return {};
        case pool::SendProxy::v1:
            return proxy_protocol::encode_v1({false, local, options_.node, {}});
        case pool::SendProxy::v2:
            break;
    }
    constexpr std::size_t kLocalLength = 16;  // a LOCAL header is signature and length 0
    return proxy_protocol::encode_v2({true, {}, {}, {}}, false, kLocalLength).value();
}

Probe::Step Probe::read(std::string_view bytes) {
    while (!bytes.empty()) {
        const Result<std::optional<smtp::Reply>> reply = parser_.read(bytes);
        if (!reply) {
            return fail("malformed reply: " + reply.error().message());
        }
        if (*reply) {
            Step step = take(**reply);
            if (step.result || bytes.empty()) {
                return step;
            }
            return fail("spoke before it was asked");
        }
    }
    return {};
}

Probe::Step Probe::take(const smtp::Reply& reply) {
    if (!reply.is_positive()) {
        return fail(reply.last_line());
    }
    if (stage_ == Stage::greeting) {
        stage_ = Stage::ehlo;
        const std::string_view verb = options_.mode == Mode::lmtp ? "LHLO " : "EHLO ";
        return {std::string(verb) + options_.hello_name + "\r\n", std::nullopt};
    }
    std::string missing;
    for (const std::string& keyword :
         smtp::missing_keywords(options_.required, smtp::parse_capabilities(reply))) {
        missing += ' ' + keyword;
    }
    if (!missing.empty()) {
        return fail("lacks" + missing);
    }
    return {"QUIT\r\n", ProbeResult{true, {}}};
}

Probe::Step Probe::fail(std::string_view what) const {
    return {{}, ProbeResult{false, std::string(stage()) + ": " + std::string(what)}};
}

std::string_view Probe::stage() const {
    return stage_ == Stage::greeting ? "greeting" : "ehlo";
}

}  // namespace millrace::session
