// What the kernel says of a running process, and what it has to say of a daemon of ours.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

namespace millrace::test {

// Who the daemons are to become: only root can become someone else.
inline std::string user_to_become() {
    return geteuid() == 0 ? "nobody" : getpwuid(geteuid())->pw_name;
}

class ProcessState {
 public:
    explicit ProcessState(pid_t pid) : directory_("/proc/" + std::to_string(pid) + "/") {
        std::ifstream file(directory_ + "status");
        for (std::string line; std::getline(file, line);) {
            const std::size_t colon = line.find(':');
            fields_[line.substr(0, colon)] = line.substr(colon + 1);
        }
    }

    // The words of a field, such as Uid.
    [[nodiscard]] std::vector<std::string> words(const std::string& name) const {
        const auto found = fields_.find(name);
        return found == fields_.end() ? std::vector<std::string>{} : split(found->second);
    }

    // Soft and hard limit.
    [[nodiscard]] std::vector<std::string> limit(const std::string& name) const {
        std::ifstream file(directory_ + "limits");
        for (std::string line; std::getline(file, line);) {
            if (line.rfind(name, 0) == 0) {
                auto values = split(line.substr(name.size()));
                values.resize(2);
                return values;
            }
        }
        return {};
    }

    // The kernel gives the files of a process that may not be dumped to root.
    [[nodiscard]] uid_t owner_of_files() const {
        struct stat status {};

        EXPECT_EQ(stat((directory_ + "environ").c_str(), &status), 0);
        return status.st_uid;
    }

 private:
    static std::vector<std::string> split(const std::string& text) {
        std::istringstream stream(text);
        std::vector<std::string> all;
        for (std::string word; stream >> word;) {
            all.push_back(word);
        }
        return all;
    }

    std::string directory_;
    std::map<std::string, std::string> fields_;
};

inline std::vector<std::string> groups_of(const passwd& user) {
    std::vector<gid_t> groups(256);
    int count = static_cast<int>(groups.size());
    getgrouplist(user.pw_name, user.pw_gid, groups.data(), &count);
    std::vector<std::string> texts;
    for (int i = 0; i < count; ++i) {
        texts.push_back(std::to_string(groups[static_cast<std::size_t>(i)]));
    }
    std::sort(texts.begin(), texts.end());
    return texts;
}

// The daemon runs as user_to_become() and could not do more than that user if it wanted.
inline void expect_confined(pid_t pid) {
    const passwd* user = getpwnam(user_to_become().c_str());
    ASSERT_NE(user, nullptr);
    const ProcessState state(pid);
    using Words = std::vector<std::string>;
    EXPECT_EQ(state.words("Uid"), Words(4, std::to_string(user->pw_uid)));
    EXPECT_EQ(state.words("Gid"), Words(4, std::to_string(user->pw_gid)));
    EXPECT_EQ(state.words("NoNewPrivs"), Words{"1"});
    EXPECT_EQ(state.words("Umask"), Words{"0027"});
    EXPECT_EQ(state.limit("Max core file size"), (Words{"0", "0"}));
    for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapAmb"}) {
        EXPECT_EQ(state.words(set), Words{"0000000000000000"}) << set;
    }
    if (geteuid() == 0) {  // who is the user already keeps the groups that the manager gave
        Words groups = state.words("Groups");
        std::sort(groups.begin(), groups.end());
        EXPECT_EQ(groups, groups_of(*user));
        EXPECT_EQ(state.owner_of_files(), 0U);
    }
    EXPECT_EQ(state.limit("Max open files").front(), state.limit("Max open files").back());
}

}  // namespace millrace::test
