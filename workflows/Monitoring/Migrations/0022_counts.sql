-- What is counted under a key, by the minute: `what` is the metric's name, as in dns.responses with the key NXDOMAIN.
drop table monitoring.dns_response;
create table monitoring.count_minute (
    server_id uuid not null,
    at timestamptz not null,
    what text not null,
    key text not null,
    count bigint not null,
    primary key (server_id, at, what, key)
) partition by range (at);

-- Subnets as Kea last told of them in a minute.
create table monitoring.dhcp_subnet (
    server_id uuid not null,
    at timestamptz not null,
    subnet cidr not null,
    total bigint not null,
    assigned bigint not null,
    declined bigint not null,
    primary key (server_id, at, subnet)
) partition by range (at);
