#!/usr/bin/perl
# Removes from connection tracking every flow from or to what standard input names, an address as hexadecimal digits:
#   0a080002          this address
#   in 0a080001 16    every address of this network
#   keep 0a080002     but this one
# Prints nothing but errors. With no line it only finds out whether the table can be read.
# See linux/netfilter/nfnetlink_conntrack.h and netlink(7).
use strict;
use warnings;

use constant {
  AF_NETLINK => 16, SOCK_RAW => 3, NETLINK_NETFILTER => 12,
  NLMSG_ERROR => 2, NLMSG_DONE => 3,
  NLM_F_REQUEST => 1, NLM_F_ACK => 4, NLM_F_DUMP_INTR => 0x10, NLM_F_DUMP => 0x300,
  CT_NEW => 0x100, CT_GET => 0x101, CT_DELETE => 0x102,
  CTA_TUPLE_ORIG => 1, CTA_TUPLE_REPLY => 2, CTA_ID => 12, CTA_ZONE => 18,
  CTA_TUPLE_IP => 1, ENOENT => 2, READ_BYTES => 1 << 18, ATTRIBUTE_TYPE => 0x3fff, PASSES_MAX => 10,
};

my (%wanted, %kept, @networks);
while (my $line = <STDIN>) {
  my ($verb, $digits, $length) = $line =~ /^(?:(in|keep) )?([0-9a-f]{8}|[0-9a-f]{32})(?: (\d{1,3}))?$/;
  die "not an address\n" unless defined $digits && defined $length == (($verb // "") eq "in");
  my $address = pack("H*", $digits);
  if (!defined $verb) { $wanted{$address} = 1 }
  elsif ($verb eq "keep") { $kept{$address} = 1 }
  else {
    my $mask = pack("B*", substr("1" x $length . "0" x 128, 0, 8 * length $address));
    push @networks, [$address & $mask, $mask];
  }
}

sub is_stranger {
  my ($address) = @_;
  for my $network (@networks) {
    my ($base, $mask) = @$network;
    return !$kept{$address} if length $address == length $mask && ($address & $mask) eq $base;
  }
  return 0;
}

sub open_socket {
  socket(my $socket, AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER) or die "no netlink socket: $!\n";
  # A dump could otherwise block forever if the kernel were to say nothing.
  setsockopt($socket, 1, 20, pack("l!l!", 20, 0)) or die "no time-out: $!\n";
  return $socket;
}

sub request {
  my ($type, $flags, $family, $attributes) = @_;
  my $body = pack("CCn", $family, 0, 0) . $attributes;
  return pack("LSSLL", 16 + length $body, $type, $flags, 1, 0) . $body;
}

sub receive {
  my ($socket) = @_;
  defined recv($socket, my $bytes, READ_BYTES, 0) or die "netlink gave no answer: $!\n";
  return $bytes;
}

# The attributes between two places, each as [type, whole bytes, place of its value, its end].
sub attributes {
  my ($bytes, $at, $end) = @_;
  my @found;
  while ($at + 4 <= $end) {
    my ($length, $type) = unpack("SS", substr($$bytes, $at, 4));
    last if $length < 4 || $at + $length > $end;
    push @found, [$type & ATTRIBUTE_TYPE, substr($$bytes, $at, $length), $at + 4, $at + $length];
    $at += ($length + 3) & ~3;
  }
  return @found;
}

my %LAYOUTS = (2 => ["SSSSSSa4SSa4", 24], 10 => ["SSSSSSa16SSa16", 48]); # by AF_INET, AF_INET6

# Whether a wanted address is in one of the two tuples at the head of an entry; undef when they do not look as the kernel
# has always written them: tuple, addresses, source, destination. Some five times as fast as walking through.
sub concerns_quickly {
  my ($bytes, $at, $end, $family) = @_;
  my ($layout, $size) = @{$LAYOUTS{$family} or return undef};
  my $concerned = 0;
  for my $kind (CTA_TUPLE_ORIG, CTA_TUPLE_REPLY) {
    return undef if $at + $size > $end;
    my ($length, $type, undef, $inner, undef, $first, $source, undef, $second, $destination) =
      unpack($layout, substr($$bytes, $at, $size));
    return undef if ($type & ATTRIBUTE_TYPE) != $kind || ($inner & ATTRIBUTE_TYPE) != CTA_TUPLE_IP
      || $second != $first + 1 || $length < $size;
    $concerned = 1 if $wanted{$source} || $wanted{$destination}
      || @networks && (is_stranger($source) || is_stranger($destination));
    $at += ($length + 3) & ~3;
  }
  return $concerned;
}

sub concerns {
  my ($bytes, $tuple) = @_;
  for my $part (attributes($bytes, $tuple->[2], $tuple->[3])) {
    next unless $part->[0] == CTA_TUPLE_IP;
    for my $address (attributes($bytes, $part->[2], $part->[3])) {
      my $value = substr($$bytes, $address->[2], $address->[3] - $address->[2]);
      return 1 if $wanted{$value} || is_stranger($value);
    }
  }
  return 0;
}

sub forget {
  my ($socket, $family, $chosen) = @_;
  my $padded = join "", map { $_ . "\0" x (-length($_) & 3) } @$chosen;
  defined send($socket, request(CT_DELETE, NLM_F_REQUEST | NLM_F_ACK, $family, $padded), 0)
    or die "a flow cannot be removed: $!\n";
  my (undef, undef, undef, undef, undef, $error) = unpack("LSSLLl", receive($socket));
  die "a flow cannot be removed: error " . -$error . "\n" if $error != 0 && -$error != ENOENT;
}

# Walks the table once. Returns whether it changed so much meanwhile that some of it may have been passed over.
sub walk {
  my ($reader, $remover) = (open_socket(), open_socket());
  defined send($reader, request(CT_GET, NLM_F_REQUEST | NLM_F_DUMP, 0, ""), 0) or die "no flows: $!\n";
  my $is_torn = 0;
  while (1) {
    my $bytes = receive($reader);
    my $at = 0;
    while ($at + 16 <= length $bytes) {
      my ($length, $type, $flags) = unpack("LSS", substr($bytes, $at, 8));
      die "a malformed answer\n" if $length < 16;
      $is_torn ||= $flags & NLM_F_DUMP_INTR;
      return $is_torn if $type == NLMSG_DONE;
      die "the flows cannot be read: error " . -unpack("l", substr($bytes, $at + 16, 4)) . "\n"
        if $type == NLMSG_ERROR;
      if ($type == CT_NEW && (%wanted || @networks)) {
        my $family = unpack("C", substr($bytes, $at + 16, 1));
        my ($start, $end) = ($at + 20, $at + $length);
        my $concerned = concerns_quickly(\$bytes, $start, $end, $family);
        if ($concerned // 1) {
          my @chosen;
          for my $attribute (attributes(\$bytes, $start, $end)) {
            my $kind = $attribute->[0];
            $concerned ||= concerns(\$bytes, $attribute) if $kind == CTA_TUPLE_ORIG || $kind == CTA_TUPLE_REPLY;
            push @chosen, $attribute->[1] if $kind == CTA_TUPLE_ORIG || $kind == CTA_ID || $kind == CTA_ZONE;
          }
          forget($remover, $family, \@chosen) if $concerned;
        }
      }
      $at += ($length + 3) & ~3;
    }
  }
}

for (1 .. PASSES_MAX) {
  exit 0 unless walk();
}
die "the flows changed too fast to be read\n";
