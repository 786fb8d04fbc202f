import Posix
import Testbed
import Testing

/// All programs as they are installed, each as its own user, with real spawners and Maildirs.
@Suite struct RealWayTests {
    /// Two users whose addresses with an extension go to their Maildirs, and a loop that starts qmail-start again.
    private func machine() throws -> SetIDRoot {
        let machine = try SetIDRoot()
        let root = machine.root
        for (name, id) in [("joe", 70001), ("ann", 70002)] {
            try shell(
                """
                echo '\(name):x:\(id):\(id)::/home/\(name):/bin/sh' >>'\(root)/etc/passwd'
                install -d -m 700 -o \(id) -g \(id) '\(root)/home/\(name)' '\(root)/home/\(name)/Maildir'
                for part in tmp new cur; do install -d -m 700 -o \(id) -g \(id) "\(root)/home/\(name)/Maildir/$part"; done
                echo ./Maildir/ >'\(root)/home/\(name)/.qmail-default'
                """)
        }
        try machine.write("etc/qhpsi/control/locals", "test.example\n")
        try machine.write(
            "supervise",
            "#!/bin/sh\nwhile [ ! -e /enough ]; do qmail-start ./Maildir/ >>/log 2>&1; sleep 0.05; done\n",
            mode: "755")
        return machine
    }

    private func start(_ machine: SetIDRoot, _ words: [String]) throws -> Running {
        try Command(
            PrivateInstance.sourceTree + "/.ci/in-root", [machine.root] + words
        ).start()
    }

    /// Queues messages FROM to TO for joe and ann in turn; `accepted` has those for which qmail-queue said 0.
    private static let load = #"""
        #!/usr/bin/perl
        my ($from, $to) = @ARGV;
        my $me = $$;
        for my $n ($from .. $to) {
            my $name = $n % 2 ? 'joe' : 'ann';
            open my $m, '>', "/tmp/m.$me" or die; print $m "Subject: m$n\n\nhello\n"; close $m;
            open my $e, '>', "/tmp/e.$me" or die; print $e "Fann\@far.example\0T$name-m$n\@test.example\0\0"; close $e;
            my $pid = fork;
            if (!$pid) {
                open STDIN, '<', "/tmp/m.$me" or die; open STDOUT, '<', "/tmp/e.$me" or die;
                exec '/usr/sbin/qmail-queue' or die;
            }
            waitpid $pid, 0;
            next if $?;
            open my $a, '>>', '/accepted' or die;
            syswrite $a, "$n\n";
        }
        """#

    /// Kills one of the machine's mail programs, any of them, every now and then.
    private static let killer = #"""
        #!/usr/bin/perl
        my ($root, $all) = @ARGV;
        until (-e "$root/calm") {
            select undef, undef, undef, 0.02 + rand 0.1;
            my %by;
            for my $folder (glob '/proc/[0-9]*') {
                next unless (readlink "$folder/root" // '') eq $root;
                open my $file, '<', "$folder/cmdline" or next;
                local $/; my $line = <$file> // '';
                push @{$by{$2}}, $1 if "$folder $line" =~ m,^/proc/(\d+) (?:/usr/sbin/)?(qmail-[a-z]+)\0,;
            }
            my ($send) = @{$by{'qmail-send'} // []};
            if (rand() < 0.3) { kill 'ALRM', $send if $send; next }
            my @names = sort keys %by or next;
            my $name = $names[rand @names];
            $kills{$name}++ if kill 'KILL', $by{$name}[rand @{$by{$name}}];
        }
        print join(', ', map { "$_ $kills{$_}" } sort keys %kills), "\n";
        """#

    /// Run until no message is in the queue, then end the loop.
    private func finish(_ machine: SetIDRoot, _ supervise: Running) throws {
        let root = machine.root
        let deadline = Deadline(milliseconds: 60_000)
        var left = "?"
        while !deadline.hasPassed, !left.isEmpty {
            Clock.sleep(milliseconds: 200)
            left = try shell(
                "cd '\(root)/var/spool/qhpsi/queue1' && find todo info local remote bounce -type f")
            try signal("ALRM", machine)
        }
        #expect(left.isEmpty)
        try shell(": >'\(root)/enough'")
        try signal("TERM", machine)
        #expect(try supervise.wait(seconds: 60).code == 0)
    }

    private func signal(_ name: String, _ machine: SetIDRoot) throws {
        try shell(
            """
            for id in $(pgrep -x qmail-send); do
                if [ "$(readlink /proc/$id/root)" = '\(machine.root)' ]; then kill -\(name) $id || true; fi
            done
            """)
    }

    @Test func `each program runs as its user, and mail comes into the Maildir as its owner's`()
        throws
    {
        let machine = try machine()
        let root = machine.root
        try withExtendedLifetime(machine) {
            // What a killed qmail-queue left: a mess file that nobody holds.
            try shell(
                """
                cd '\(root)/var/spool/qhpsi/queue1' && echo x >pid/x && id=$(stat -c %i pid/x) &&
                chown 64015:64010 pid/x && chmod 644 pid/x && mv pid/x mess/$((id % 7))/$id
                """)
            let supervise = try start(machine, ["/bin/sh", "/supervise"])
            try machine.write("load", Self.load)
            #expect(try start(machine, ["/usr/bin/perl", "/load", "1", "2"]).wait().code == 0)
            let deadline = Deadline(milliseconds: 30_000)
            while !deadline.hasPassed {
                Clock.sleep(milliseconds: 50)
                let mess = try shell("find '\(root)/var/spool/qhpsi/queue1/mess' -type f")
                let log = try shell("cat '\(root)/log' || true")
                if mess.isEmpty,
                    log.split(separator: "\n").filter({ $0.hasPrefix("end msg") }).count == 2
                {
                    break
                }
            }
            let users = try shell(
                """
                for id in $(pgrep '^qmail-'); do
                    if [ "$(readlink /proc/$id/root)" = '\(root)' ]; then ps -o comm=,uid=,gid= -p $id; fi
                done | sort | tr -s ' '
                """)
            // A qmail-local may still wait for more of its user's mail.
            let lines = users.split(separator: "\n").map { String($0) }
            #expect(
                lines.filter { !$0.hasPrefix("qmail-local ") } == [
                    "qmail-clean 64015 64010", "qmail-lspawn 0 0", "qmail-rspawn 64013 64010",
                    "qmail-send 64012 64010",
                ])
            let workers = ["qmail-local 70001 70001", "qmail-local 70002 70002"]
            #expect(
                lines.allSatisfy { !$0.hasPrefix("qmail-local ") || workers.contains($0) })
            let log = try shell("cat '\(root)/log'")
            #expect(log.contains("delivery 1: success: "), "\(log)")
            #expect(!log.contains("warning:") && !log.contains("alert:"), "\(log)")
            #expect(
                try shell("cd '\(root)/home' && stat -c '%u %a' */Maildir/new/*")
                    == "70002 600\n70001 600\n")
            try finish(machine, supervise)
            #expect(try shell("find '\(root)/var/spool/qhpsi/queue1/mess' -type f").isEmpty)
        }
    }

    @Test func `every accepted message comes into its Maildir, whoever is killed when`() throws {
        let count =
            Environment.current["QHPSI_KILL_MESSAGES"].flatMap {
                Int(String(decoding: $0, as: UTF8.self))
            } ?? 1000
        let machine = try machine()
        let root = machine.root
        try withExtendedLifetime(machine) {
            let supervise = try start(machine, ["/bin/sh", "/supervise"])
            let script = try FileDescriptor.open(Array((root + "/killer").utf8), .replace)
            try script.write(Array(Self.killer.utf8))
            let killer = try Command("/usr/bin/perl", [root + "/killer", root]).start()
            try machine.write("load", Self.load)
            let loads = try (0..<4).map {
                try start(
                    machine,
                    [
                        "/usr/bin/perl", "/load", "\(count * $0 / 4 + 1)",
                        "\(count * ($0 + 1) / 4)",
                    ])
            }
            for load in loads { #expect(try load.wait(seconds: 1200).code == 0) }
            try shell(": >'\(root)/calm'")
            let kills = try killer.wait(seconds: 30)
            try finish(machine, supervise)
            let accepted = Set(
                try shell("cat '\(root)/accepted'").split(separator: "\n").map { String($0) })
            var times: [String: Int] = [:]
            for name in ["joe", "ann"] {
                let text = try shell(
                    "find '\(root)/home/\(name)/Maildir/new' -type f -exec awk '/^Delivered-To:/ { to = $2 } /^Subject:/ { print to, $2; nextfile }' {} +"
                )
                for line in text.split(separator: "\n") {
                    let match = try #require(
                        line.wholeMatch(of: #/(joe|ann)-m(\d+)@test\.example m(\d+)/#), "\(line)")
                    #expect(match.1 == name && match.2 == match.3, "the wrong place: \(line)")
                    times[String(match.2), default: 0] += 1
                }
            }
            let missing = accepted.filter { times[$0] == nil }
            #expect(missing.isEmpty, "never delivered: \(missing)")
            let again = times.values.map { $0 - 1 }.reduce(0, +)
            print(
                "killed \(kills.output.split(separator: "\n").first ?? ""): of \(count) messages \(accepted.count) accepted, \(times.count) in Maildirs, \(again) duplicates"
            )
            #expect(accepted.count > count / 2)
        }
    }
}
