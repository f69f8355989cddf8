"""The parts of a mail cluster as real programs, for tests and for the demonstration.

Everything runs in a private directory on free loopback ports, or in network namespaces made for the
purpose; nothing of the machine's own mail system is read or touched. One noun to a module:

    workspace  the private directory (Lab), and what must be stopped and removed at the end
    host       an address and, optionally, a network namespace to run in
    process    one supervised program
    postfix amavisd rbldnsd balancer milter fake_node    the programs
    sink       the mailbox at the end
    client     who sends mail; load is a stream of it
    segments   a peer of the balancer that cuts its content where it is told
    ctl        millracectl
    gate       where the messages of an amavisd are stopped
    cluster    the usual topologies of all these, and the journey of one message through them
    orders     programs of the lab that take orders: crowd (clients), wide_node, publisher (milters)
    footprint  memory and descriptors of a process under a load; mail_stream is mail beside it
    bounds_*   loads beyond what the balancer can take, and what they cost
    kill_loop  nodes killed and started again under load, and the account of it

Only the standard library is used.
"""
