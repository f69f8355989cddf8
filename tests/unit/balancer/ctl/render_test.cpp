#include "balancer/ctl/render.hpp"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace millrace::ctl {
namespace {

using namespace std::chrono_literals;
using admin::Show;
using admin::Subject;

admin::Response some_response() {
    admin::Response response;
    response.status = admin::Status::done;
    response.nodes = {
        {{"scanners", "scan1"}, "192.0.2.21:10024", "up", 93s, "", 2, 4, 1, false, 1204, ""},
        {{"scanners", "spare"},
         "[2001:db8::1]:10024",
         "drain",
         49h,
         "set to drain",
         0,
         0,
         16,
         true,
         7,
         ""}};
    response.pools = {{"scanners", "leastconn", 2, 1, 2, 13, 1000, 60s}};
    response.queue = {{"scanners", 3500ms, 1}, {"scanners", 20ms, 0}};
    return response;
}

TEST(RenderTable, ShowsNodes) {
    EXPECT_EQ(
        render_table(Show{Subject::nodes}, some_response()),
        "NODE            STATE  SINCE  IN-TRANSIT  MAXCONN  WEIGHT     MESSAGES  ADDRESS       "
        "       REASON\n"
        "scanners/scan1  up     93s    2           4        1          1204      "
        "192.0.2.21:10024\n"
        "scanners/spare  drain  2d     0           -        16 backup  7         "
        "[2001:db8::1]:10024  set to drain\n");
}

TEST(RenderTable, ShowsTheNameThatAnAddressComesFrom) {
    admin::Response response = some_response();
    response.nodes[0].host = "scan1.example.com";
    response.nodes[1].host = "spare.example.com";
    response.nodes[1].endpoint = "";
    const std::string table = render_table(Show{Subject::nodes}, response);
    EXPECT_NE(table.find("  192.0.2.21:10024 (scan1.example.com)\n"), std::string::npos) << table;
    EXPECT_NE(table.find("  - (spare.example.com)  "), std::string::npos) << table;
}

TEST(RenderTable, ShowsTheNodeOfAnOrder) {
    const admin::SetWeight order{{"scanners", "scan1"}, 1};
    EXPECT_EQ(render_table(order, some_response()),
              render_table(Show{Subject::nodes}, some_response()));
}

TEST(RenderTable, ShowsPools) {
    EXPECT_EQ(render_table(Show{Subject::pools}, some_response()),
              "POOL      BALANCE    NODES  USABLE  IN-TRANSIT  WAITING  MAXQUEUE  TIMEOUT\n"
              "scanners  leastconn  2      1       2           13       1000      60s\n");
}

TEST(RenderTable, ShowsTheLine) {
    EXPECT_EQ(render_table(Show{Subject::queue}, some_response()),
              "POOL      WAITING  TRIED\n"
              "scanners  3s       1\n"
              "scanners  0s       0\n");
    EXPECT_EQ(render_table(Show{Subject::queue}, {}), "POOL  WAITING  TRIED\n");
}

TEST(RenderTable, ShowsALearnedLimitAsSuch) {
    admin::Response response = some_response();
    response.nodes.resize(1);
    response.nodes[0].is_maxconn_auto = true;
    EXPECT_NE(render_table(Show{Subject::nodes}, response).find(" auto(4) "), std::string::npos);
    EXPECT_NE(render_json(Show{Subject::nodes}, response).find(R"("maxconn_auto":true)"),
              std::string::npos);
}

TEST(RenderTable, WritesTimesInTheLargestUnitOfWhichThereAreTwo) {
    const std::vector<std::pair<admin::Milliseconds, std::string>> cases{
        {0ms, "0s"}, {1999ms, "1s"},     {119s, "119s"}, {120s, "2m"},       {119min, "119m"},
        {2h, "2h"},  {48h - 1ms, "47h"}, {48h, "2d"},    {24h * 400, "400d"}};
    for (const auto& [time, text] : cases) {
        admin::Response response;
        response.queue = {{"p", time, 0}};
        const std::string table = render_table(Show{Subject::queue}, response);
        EXPECT_NE(table.find("p     " + text + " "), std::string::npos) << table;
    }
}

TEST(RenderJson, ShowsNodes) {
    admin::Response response = some_response();
    response.nodes.resize(1);
    EXPECT_EQ(
        render_json(Show{Subject::nodes}, response),
        R"({"status":"done","nodes":[{"pool":"scanners","node":"scan1",)"
        R"("address":"192.0.2.21:10024","state":"up","since_seconds":9.3E1,"reason":"",)"
        R"("in_transit":2,"maxconn":4,"maxconn_auto":false,"weight":1,"backup":false,"messages_total":1204}]})"
        "\n");
}

TEST(RenderJson, ShowsTheNameThatAnAddressComesFrom) {
    admin::Response response = some_response();
    response.nodes[0].host = "scan1.example.com";
    response.nodes.resize(1);
    const std::string json = render_json(Show{Subject::nodes}, response);
    EXPECT_NE(json.find(R"("address":"192.0.2.21:10024",)"), std::string::npos) << json;
    EXPECT_NE(json.find(R"("host":"scan1.example.com"}])"), std::string::npos) << json;
}

TEST(RenderJson, ShowsPools) {
    EXPECT_EQ(render_json(Show{Subject::pools}, some_response()),
              R"({"status":"done","pools":[{"pool":"scanners","balance":"leastconn","nodes":2,)"
              R"("usable":1,"in_transit":2,"waiting":13,"maxqueue":1000,)"
              R"("queue_timeout_seconds":6E1}]})"
              "\n");
}

TEST(RenderJson, ShowsTheLine) {
    EXPECT_EQ(render_json(Show{Subject::queue}, some_response()),
              R"({"status":"done","queue":[{"pool":"scanners","waited_seconds":3.5E0,"tried":1},)"
              R"({"pool":"scanners","waited_seconds":2E-2,"tried":0}]})"
              "\n");
    EXPECT_EQ(render_json(Show{Subject::queue}, {}), "{\"status\":\"refused\",\"queue\":[]}\n");
}

TEST(RenderJson, TellsWhyAnOrderFailed) {
    admin::Response response;
    response.status = admin::Status::timed_out;
    response.reason = "scanners/scan1 still has messages in transit: 1";
    const admin::SetState order{{"scanners", "scan1"}, admin::NodeOrder::drain, 1s};
    EXPECT_EQ(render_json(order, response),
              R"({"status":"timed-out","reason":"scanners/scan1 still has messages in transit: 1",)"
              R"("nodes":[]})"
              "\n");
}

}  // namespace
}  // namespace millrace::ctl
