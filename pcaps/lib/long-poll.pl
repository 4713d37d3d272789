#!/usr/bin/env perl
# A server for long polling: long-poll.pl PORT SECONDS. It answers each request after so many seconds, all of them side by side.
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;

my ($port, $seconds) = @ARGV;
my $listener = IO::Socket::INET->new(LocalPort => $port, Listen => 128, ReuseAddr => 1) or die "port $port: $!\n";
my $select = IO::Select->new($listener);
my %due;
while (1) {
    for my $socket ($select->can_read(0.2)) {
        if ($socket == $listener) {
            my $client = $listener->accept or next;
            $select->add($client);
        } elsif (sysread($socket, my $request, 4096)) {
            $due{$socket} = [$socket, time + $seconds];
        } else {
            delete $due{$socket};
            $select->remove($socket);
            close $socket;
        }
    }
    for my $key (keys %due) {
        my ($socket, $at) = @{$due{$key}};
        next if time < $at;
        syswrite($socket, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n{\"news\":false}");
        delete $due{$key};
    }
}
