/// What speaks SMTP to a `RealMachine`, what kills its programs, and what lists the mail that came.
enum RealWayScripts {
    /// Sends messages FROM to TO, each until 250 is said for it, several on a connection.
    ///
    /// `accepted` has those for which 250 was said: the message's number and which try of it that was.
    static let client = #"""
        #!/usr/bin/perl
        use strict;
        use IO::Socket::INET;
        my ($root, $port, $from, $to, $eicar) = @ARGV;
        $SIG{PIPE} = 'IGNORE';
        my ($socket, $left);
        sub reply {
            my $line;
            eval {
                local $SIG{ALRM} = sub { die "late\n" };
                alarm 60;
                do { $line = <$socket> } while defined $line && $line =~ /^\d\d\d-/;
                alarm 0;
            };
            alarm 0;
            return $line // '';
        }
        sub ask { my ($command, $code) = @_; print $socket "$command\r\n"; return reply() =~ /^$code / }
        sub connected {
            return 1 if $socket && $left-- > 0;
            # Some clients go without a word.
            ask('QUIT', 221) if $socket && rand() < 0.5;
            $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Timeout => 10) or return 0;
            $socket->autoflush(1);
            $left = 1 + int rand 10;
            return reply() =~ /^220 / && ask('EHLO client.far.example', 250);
        }
        sub message {
            my ($n, $try) = @_;
            return 0 unless connected();
            my $name = ('joe', 'joe', 'ann', 'bob')[$n % 4];
            my @to = $name eq 'bob' ? 'bob@test.example' : "$name-m$n\@test.example";
            push @to, "far-m$n\@far.example" if $n % 5 == 0;
            ask('MAIL FROM:<alice@far.example>', 250) or return 0;
            for (@to) { ask("RCPT TO:<$_>", 250) or return 0 }
            ask('DATA', 354) or return 0;
            my $virus = $n % 10 == 7 ? "$eicar\r\n" : '';
            my $filling = join '', map { "$_ of message $n.$try\r\n" } 1 .. 1 + $n % 50;
            return ask("Subject: m$n.$try\r\nTo: $to[0]\r\n\r\n$virus${filling}end of m$n.$try\r\n.", 250);
        }
        open my $accepted, '>>', "$root/accepted" or die;
        for my $n ($from .. $to) {
            for (my $try = 1; ; $try++) {
                if (message($n, $try)) { syswrite $accepted, "m$n.$try\n"; last }
                undef $socket;
                die "message $n is never accepted\n" if $try == 200;
                select undef, undef, undef, 0.1;
            }
        }
        """#

    /// Programs that are killed: those that run on, and those that run for a message or a client.
    static let lasting = ["qmail-clean", "qmail-lspawn", "qmail-rspawn", "qmail-send", "tcpserver"]
    static let brief = [
        "qhpsi", "qhpsi-host", "qmail-local", "qmail-queue", "qmail-remote", "qmail-smtpd",
        "vfilter",
    ]

    /// Kills one of the machine's mail programs every now and then, those more often that were seldom met.
    static let killer = #"""
        #!/usr/bin/perl
        use strict;
        my ($root, $lasting, $brief) = @ARGV;
        my %lasting = map { $_ => 1 } split /,/, $lasting;
        my %brief = map { $_ => 1 } split /,/, $brief;
        my %kills = map { $_ => 0 } keys %lasting, keys %brief;
        until (-e "$root/calm") {
            select undef, undef, undef, rand 0.06;
            my $dice = rand;
            my %by;
            for my $folder (glob '/proc/[0-9]*') {
                my $program = readlink "$folder/exe" or next;
                next unless $program =~ m,^\Q$root\E/usr/(?:bin|sbin|lib/qhpsi)/([a-z-]+)$,;
                push @{$by{$1}}, substr $folder, 6;
            }
            if ($dice < 0.1) { my $send = $by{'qmail-send'}; kill 'ALRM', $send->[0] if $send; next }
            my $kind = $dice < 0.25 ? \%lasting : \%brief;
            my ($name) = sort { $kills{$a} <=> $kills{$b} || $a cmp $b } grep { $kind->{$_} } keys %by or next;
            $kills{$name}++ if kill 'KILL', $by{$name}[rand @{$by{$name}}];
        }
        print "$_ $kills{$_}\n" for sort keys %kills;
        """#

    /// A line for each message that came: place, folder, recipient, subject, verdict, whole or cut.
    static let reader = #"""
        #!/usr/bin/perl
        use strict;
        my ($root) = @ARGV;
        my @files = split /\n/, `find '$root/home' '$root/var/qmail' '$root/var/lib/qhpsi/alias' '$root/sink' -type f ! -path '*/Maildir/*tmp/*' 2>/dev/null`;
        for my $file (@files) {
            $file =~ s,^\Q$root\E/,,;
            my ($place, $folder) = ($file, '-');
            if ($file =~ m,^home/([a-z]+)/Maildir/(?:\.([A-Za-z]+)/)?(?:new|cur)/[^/]+$,) { ($place, $folder) = ($1, $2 // 'Inbox') }
            elsif ($file =~ m,^sink/,) { $place = 'far' }
            elsif ($file =~ m,/(?:\.qmail-default|maildirfolder|filters/.*)$,) { next }
            open my $in, '<', "$root/$file" or die "$file: $!";
            my ($to, $subject, $verdict, $end) = ('-', '-', '-', '-');
            my $isHead = 1;
            while (<$in>) {
                s/\r?\n$//;
                $isHead = 0 if $_ eq '';
                if (!$isHead) { $end = $1 if /^end of (\S+)$/; next }
                $to = $1 if /^(?:Delivered-To: |X-Rcpt-Args: <)([^>]+)/ && $to eq '-';
                $subject = $1 if /^Subject: (\S+)$/;
                $verdict = $1 =~ tr/ /_/r if /^X-QHPSI: (.*)$/;
            }
            print join(' ', $place, $folder, $to, $subject, $verdict, $end eq $subject ? 'whole' : 'cut'), "\n";
        }
        """#
}
