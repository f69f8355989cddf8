#include "proto/runtime/privileges.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace millrace {
namespace {

// What changes a whole process is tried in one of its own, which ends with 0 when all is well.
void expect_in_child(bool (*check)()) {
    EXPECT_EXIT(std::_Exit(check() ? 0 : 1), testing::ExitedWithCode(0), "");
}

std::string what_is_thrown(const ProcessIdentity& identity) {
    try {
        drop_privileges(identity);
    } catch (const std::system_error& error) {
        return error.what();
    }
    return {};
}

bool is_hardened() {
    harden_process();
    rlimit core{};
    getrlimit(RLIMIT_CORE, &core);
    return umask(0) == 0027 && core.rlim_max == 0 && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
}

TEST(Privileges, HardeningNarrowsUmaskCoreFilesAndNewPrivileges) {
    expect_in_child(is_hardened);
}

bool is_descriptor_limit_raised() {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max / 2;
    setrlimit(RLIMIT_NOFILE, &limit);
    raise_descriptor_limit();
    getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur == limit.rlim_max;
}

TEST(Privileges, DescriptorLimitIsRaisedToTheHardLimit) {
    expect_in_child(is_descriptor_limit_raised);
}

TEST(Privileges, StayAsTheyAreWithoutAUser) {
    EXPECT_NO_THROW(drop_privileges({}));
}

TEST(Privileges, RefuseAnUnknownUserOrGroup) {
    const std::string self = getpwuid(geteuid())->pw_name;
    EXPECT_EQ(what_is_thrown({"no-such-user", ""}),
              "user 'no-such-user': No such file or directory");
    EXPECT_EQ(what_is_thrown({self, "no-such-group"}),
              "group 'no-such-group': No such file or directory");
}

// As root this becomes nobody and finds no way back; as anyone else it must refuse.
bool is_dropped_or_refused() {
    if (geteuid() != 0) {
        return !what_is_thrown({"root", ""}).empty();
    }
    drop_privileges({"nobody", ""});
    return geteuid() == getpwnam("nobody")->pw_uid && getegid() == getpwnam("nobody")->pw_gid &&
           setuid(0) != 0 && setgid(0) != 0;
}

TEST(Privileges, AreDroppedForGoodOrTheStartIsRefused) {
    expect_in_child(is_dropped_or_refused);
}

// As whoever runs the test without being root, or as nobody.
bool is_second_drop_accepted() {
    const std::string user = geteuid() == 0 ? "nobody" : getpwuid(geteuid())->pw_name;
    const bool is_first_done = what_is_thrown({user, ""}).empty();
    return is_first_done && what_is_thrown({user, ""}).empty();
}

TEST(Privileges, AreNotMissedByAProcessThatIsTheUserAlready) {
    expect_in_child(is_second_drop_accepted);
}

// Stands for the service manager: a datagram socket named by NOTIFY_SOCKET.
class NotifySocket {
 public:
    NotifySocket() {
        sockaddr_un name{};
        name.sun_family = AF_UNIX;
        path_.copy(name.sun_path, sizeof(name.sun_path) - 1);
        void* const address = &name;
        EXPECT_EQ(bind(socket_, static_cast<sockaddr*>(address), sizeof(name)), 0);
        setenv("NOTIFY_SOCKET", path_.c_str(), 1);
    }

    NotifySocket(const NotifySocket&) = delete;
    NotifySocket& operator=(const NotifySocket&) = delete;

    ~NotifySocket() {
        unsetenv("NOTIFY_SOCKET");
        close(socket_);
        std::filesystem::remove(path_);
    }

    std::string receive() {
        std::array<char, 512> buffer{};
        const auto length = recv(socket_, buffer.data(), buffer.size(), MSG_DONTWAIT);
        return length < 0 ? std::string{}
                          : std::string(buffer.data(), static_cast<std::size_t>(length));
    }

 private:
    std::string path_ =
        std::filesystem::temp_directory_path() / ("millrace-notify-" + std::to_string(getpid()));
    int socket_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
};

TEST(Notify, TellsTheServiceManagerWhatTheDaemonDoes) {
    NotifySocket manager;
    notify_ready();
    EXPECT_EQ(manager.receive(), "READY=1");
    notify_reloading();
    EXPECT_EQ(manager.receive().rfind("RELOADING=1\nMONOTONIC_USEC=", 0), 0U);
    notify_stopping();
    EXPECT_EQ(manager.receive(), "STOPPING=1");
}

TEST(Notify, IsSilentWithoutAServiceManager) {
    unsetenv("NOTIFY_SOCKET");
    notify_ready();
    notify_reloading();
    notify_stopping();
}

}  // namespace
}  // namespace millrace
