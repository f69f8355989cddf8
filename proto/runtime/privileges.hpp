// What a daemon does to itself once it is set up: give up root, forbid core files, narrow the
// umask, raise the descriptor limit, and tell the service manager that it is ready.
// Failures throw std::system_error with a text for the operator: half-dropped privileges must stop
// the start.
#pragma once

#include <string>

namespace millrace {

struct ProcessIdentity {
    std::string user;   // empty: stay who we are
    std::string group;  // empty: the user's primary group
};

void harden_process();                                  // umask 0027, no core files, no_new_privs
void drop_privileges(const ProcessIdentity& identity);  // without a user: warns of root
void raise_descriptor_limit();                          // soft limit to the hard limit

// sd_notify(3); nothing happens outside systemd.
void notify_ready();
void notify_reloading();
void notify_stopping();

}  // namespace millrace
