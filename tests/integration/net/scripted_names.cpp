#include "tests/integration/net/scripted_names.hpp"

#include "tests/integration/net/wait.hpp"

#include <condition_variable>
#include <map>
#include <mutex>

namespace millrace::test {

struct ScriptedNames::Script {
    net::NameAnswer look_up(const std::string& host) {
        std::unique_lock lock(mutex);
        ++begun;
        ++under_way;
        wake.wait(lock, [this] { return !is_hanging; });
        --under_way;
        const auto found = answers.find(host);
        return found == answers.end() ? net::NameAnswer{{}, "not in the script"} : found->second;
    }

    std::mutex mutex;
    std::condition_variable wake;
    std::map<std::string, net::NameAnswer> answers;
    bool is_hanging = false;
    std::size_t begun = 0;
    std::size_t under_way = 0;
};

ScriptedNames::ScriptedNames() : script_(std::make_shared<Script>()) {}

net::LookUp ScriptedNames::look_up() const {
    return [script = script_](const std::string& host) { return script->look_up(host); };
}

void ScriptedNames::answer(const std::string& host,
                           std::initializer_list<std::string_view> addresses) {
    net::NameAnswer answer;
    for (const std::string_view text : addresses) {
        answer.addresses.push_back(parse_address(text).value());
    }
    const std::lock_guard lock(script_->mutex);
    script_->answers[host] = std::move(answer);
}

void ScriptedNames::fail(const std::string& host, const std::string& error) {
    const std::lock_guard lock(script_->mutex);
    script_->answers[host] = net::NameAnswer{{}, error};
}

void ScriptedNames::hang() {
    const std::lock_guard lock(script_->mutex);
    script_->is_hanging = true;
}

void ScriptedNames::let_go() {
    const std::lock_guard lock(script_->mutex);
    script_->is_hanging = false;
    script_->wake.notify_all();
}

std::size_t ScriptedNames::lookups() const {
    const std::lock_guard lock(script_->mutex);
    return script_->begun;
}

bool ScriptedNames::wait_for_more(std::size_t count) const {
    const std::size_t enough = lookups() + count;
    return wait_until([&] { return lookups() >= enough; });
}

bool ScriptedNames::wait_until_none_is_under_way() const {
    return wait_until([&] {
        const std::lock_guard lock(script_->mutex);
        return script_->under_way == 0;
    });
}

}  // namespace millrace::test
