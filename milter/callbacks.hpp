// The milter as libmilter runs it: its callbacks, and the life of the process around them.
//
// The only module that knows libmilter's API. A callback translates what libmilter says into an
// event of the session's MessageTracker and, at end-of-message, the recorder's verdict into a
// reply. No exception leaves a callback; a session that failed is one whose messages are subject to
// on-error. libmilter calls from many threads, though for one session from one at a time, and
// offers no place for state of the whole filter, so there can be one service in a process.
#pragma once

#include "milter/message_tracker.hpp"
#include "milter/origin_recorder.hpp"
#include "proto/runtime/listen_address.hpp"

namespace millrace::milter {

// Takes SIGTERM and SIGINT, which end the service, and ignores SIGHUP and SIGPIPE. To be called by
// the main thread before there are others. Throws std::system_error.
void claim_signals();

// Registers with libmilter and opens the socket; from here on the MTA can connect. A Unix-domain
// socket that is left of an earlier run is replaced, one that is in use is not, and it gets
// `mode`. Throws std::system_error.
void open_service(const ListenAddress& listen, unsigned mode);

// Serves until SIGTERM or SIGINT; then takes no more messages and waits for those that are being
// published. Throws std::runtime_error when libmilter gives up. The sessions that are still open
// then end with the process.
void run_service(const OriginRecorder& recorder, const TrackerOptions& options);

// Makes libmilter start the work that it is sitting on. libmilter spreads the events of all
// sessions over a few worker threads and starts another one only when an event comes and no worker
// seems to be idle; events that come together may then wait behind a worker that waits for an
// origin service, for many times its deadline (R10). A new session makes it look again, so this
// opens one with the milter itself and closes it. Callbacks that wait call it again and again.
void stir_workers(const ListenAddress& listen);

// Removes a Unix-domain socket; the rest goes with the process.
void close_service(const ListenAddress& listen);

}  // namespace millrace::milter
