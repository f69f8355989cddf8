#include "proto/runtime/privileges.hpp"

#include "proto/log.hpp"
#include "proto/runtime/logging.hpp"

#include <systemd/sd-daemon.h>

#include <cerrno>
#include <chrono>
#include <system_error>
#include <vector>

#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace millrace {
namespace {

struct Ids {
    uid_t user;
    gid_t group;
};

[[noreturn]] void fail(const std::string& text, int error) {
    throw std::system_error(error, std::generic_category(), text);
}

void require(bool is_done, const std::string& text) {
    if (!is_done) {
        fail(text, errno);
    }
}

Ids find_user(const std::string& name) {
    std::vector<char> buffer(16384);
    passwd entry{};
    passwd* found = nullptr;
    const int error = getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
    if (found == nullptr) {
        fail("user '" + name + "'", error != 0 ? error : ENOENT);
    }
    return {entry.pw_uid, entry.pw_gid};
}

gid_t find_group(const std::string& name) {
    std::vector<char> buffer(65536);  // a group entry lists its members
    group entry{};
    group* found = nullptr;
    const int error = getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
    if (found == nullptr) {
        fail("group '" + name + "'", error != 0 ? error : ENOENT);
    }
    return entry.gr_gid;
}

void become(const std::string& user, Ids ids) {
    require(initgroups(user.c_str(), ids.group) == 0, "cannot set the groups of '" + user + "'");
    require(setresgid(ids.group, ids.group, ids.group) == 0, "cannot change the group");
    require(setresuid(ids.user, ids.user, ids.user) == 0, "cannot become user '" + user + "'");
    if (ids.user != 0 && setuid(0) == 0) {
        fail("user '" + user + "' can become root again", EPERM);
    }
}

// In a container it may be what is wanted; anywhere else it is what was forgotten.
void warn_of_root() {
    log(LogLevel::warning, LogLine("process", "runs-as-root")
                               .add("reason", "started as root without the key 'user'")
                               .text());
}

}  // namespace

void harden_process() {
    umask(0027);
    const rlimit no_core{0, 0};
    require(setrlimit(RLIMIT_CORE, &no_core) == 0, "cannot forbid core files");
    require(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "cannot set no_new_privs");
}

void drop_privileges(const ProcessIdentity& identity) {
    if (identity.user.empty()) {
        if (geteuid() == 0) {
            warn_of_root();
        }
        return;
    }
    Ids ids = find_user(identity.user);
    if (!identity.group.empty()) {
        ids.group = find_group(identity.group);
    }
    // Started as that user already, by a service manager: there is nothing to drop.
    if (geteuid() != 0 && geteuid() == ids.user && getegid() == ids.group) {
        return;
    }
    become(identity.user, ids);
}

void raise_descriptor_limit() {
    rlimit limit{};
    require(getrlimit(RLIMIT_NOFILE, &limit) == 0, "cannot read the descriptor limit");
    limit.rlim_cur = limit.rlim_max;
    require(setrlimit(RLIMIT_NOFILE, &limit) == 0, "cannot raise the descriptor limit");
}

void notify_ready() {
    sd_notify(0, "READY=1");
}

void notify_reloading() {
    // systemd pairs this with the READY=1 that follows by the time (Type=notify-reload).
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
    const std::string state = "RELOADING=1\nMONOTONIC_USEC=" + std::to_string(microseconds);
    sd_notify(0, state.c_str());
}

void notify_stopping() {
    sd_notify(0, "STOPPING=1");
}

}  // namespace millrace
