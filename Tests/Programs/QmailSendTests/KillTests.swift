import Posix
import Testbed
import Testing

/// SIGKILL at random under load, while a loop like supervise(8) starts everything again.
@Suite struct KillTests {
    /// Restarts qmail-start until the file `enough` is there.
    private static let supervise = #"""
        #!/bin/sh
        while [ ! -e "$QHPSI_ROOT/enough" ]; do "$QHPSI_ROOT/usr/sbin/qmail-start" >>"$QHPSI_ROOT/log" 2>&1; sleep 0.02; done
        """#

    /// Kills one of the instance's processes, any of them, every now and then, and sends SIGALRM; counts into `kills`.
    private static let killer = #"""
        #!/usr/bin/perl
        use strict;
        my $root = $ENV{QHPSI_ROOT};
        my %kills;
        until (-e "$root/calm") {
            select undef, undef, undef, 0.005 + rand 0.05;
            # Each process whose program, or script, is a file of this instance.
            my @found;
            for my $folder (glob '/proc/[0-9]*') {
                open my $file, '<', "$folder/cmdline" or next;
                local $/; my $line = <$file> // '';
                push @found, [$1, $2] if "$folder $line" =~ m,^/proc/(\d+) (?:/usr/bin/perl\0)?\Q$root\E/usr/sbin/([a-z-]+),;
            }
            my ($send) = map { $_->[0] } grep { $_->[1] eq 'qmail-send' } @found;
            if (rand() < 0.3) { kill 'ALRM', $send if $send; next }
            if (rand() < 0.2) { -e "$root/switch/deferring" ? unlink "$root/switch/deferring" : do { open my $f, '>', "$root/switch/deferring" }; next }
            # Programs are equally likely, however many run.
            my %by; push @{$by{$_->[1]}}, $_->[0] for @found;
            my @names = sort keys %by or next;
            my $name = $names[rand @names];
            my $pid = $by{$name}[rand @{$by{$name}}];
            $kills{$name}++ if kill 'KILL', $pid;
        }
        unlink "$root/switch/deferring";
        open my $out, '>', "$root/kills" or die;
        print $out "$_ $kills{$_}\n" for sort keys %kills;
        """#

    @Test func `every accepted message is delivered, to nobody else, whoever is killed when`()
        throws
    {
        let count = Load.messages / 2
        let service = try SendService(queues: 2)
        let root = service.instance.root
        try withExtendedLifetime(service) {
            let supervise = try run(service, "supervise", Self.supervise)
            let killer = try run(service, "killer", Self.killer)
            for worker in try Load.start(count, into: service, workers: 4, isMixed: true) {
                #expect(try worker.wait(seconds: 1800).code == 0)
            }
            try service.instance.write("calm", "")
            #expect(try killer.wait(seconds: 30).code == 0)
            // What qmail-queue left when it was killed is queue-fix's.
            let isDone = try service.wait(seconds: 60) {
                Clock.sleep(milliseconds: 500)
                try signal("ALRM", service)
                return try shell(
                    "cd '\(root)/var/spool/qhpsi' && find */todo */info */local */remote */bounce -type f"
                ).isEmpty
            }
            let left = try service.instance.queueFiles()
            #expect(isDone, "\(left.prefix(20))")
            try service.instance.write("enough", "")
            try signal("TERM", service)
            #expect(try supervise.wait(seconds: 30).code == 0)
            try check(service, count)
            for n in 1...2 {
                let fix = try service.instance.command(
                    "usr/sbin/queue-fix", ["\(root)/var/spool/qhpsi/queue\(n)"]
                ).run()
                #expect(fix.code == 0, "\(fix.output)\(fix.errors)")
            }
            #expect(try service.instance.queueFiles().isEmpty)
        }
    }

    /// Send a signal to the instance's qmail-send, if there is one now.
    private func signal(_ name: String, _ service: SendService) throws {
        try shell(
            "for id in $(pgrep -f '^\(service.instance.root)/usr/sbin/qmail-send'); do kill -\(name) $id || true; done"
        )
    }

    private func run(_ service: SendService, _ name: String, _ text: String) throws -> Running {
        try service.instance.write(name, text)
        try shell("chmod 755 '\(service.instance.root)/\(name)'")
        return try service.instance.command(name).start()
    }

    private func check(_ service: SendService, _ count: Int) throws {
        let root = service.instance.root
        let accepted = Set(
            try shell("cat '\(root)/accepted'").split(separator: "\n").compactMap {
                Int($0.dropFirst())
            })
        var times: [String: Int] = [:]
        for line in try service.delivered() {
            let match = try #require(
                line.wholeMatch(
                    of:
                        #/(local|remote) <alice@remote\.example> <(ok|defer)-m(\d+)@(test|far)\.example> m(\d+)/#
                ), "\(line)")
            #expect(match.3 == match.5, "the wrong message: \(line)")
            #expect((match.1 == "local") == (match.4 == "test"), "the wrong channel: \(line)")
            times["\(match.4) \(match.3)", default: 0] += 1
        }
        var missing: [String] = []
        for n in accepted {
            if times["test \(n)"] == nil { missing.append("test \(n)") }
            if n % 10 == 0, times["far \(n)"] == nil { missing.append("far \(n)") }
        }
        #expect(missing.isEmpty, "never delivered: \(missing)")
        let kills = try shell("cat '\(root)/kills'").split(separator: "\n")
        let total = kills.compactMap { Int($0.split(separator: " ").last ?? "") }.reduce(0, +)
        let again = times.values.map { $0 - 1 }.reduce(0, +)
        print(
            "killed \(kills.joined(separator: ", ")): of \(count) messages \(accepted.count) accepted, \(times.count) recipients served, \(again) duplicates"
        )
        #expect(total >= count / 200)
        // A kill repeats at most what was under way: as many deliveries as run at once.
        #expect(again <= total * 30)
    }
}
