import Posix
import Testbed
import Testing

/// qmail-start with qmail-send and qmail-clean in an instance, and scripted spawners in place of the real ones.
///
/// Hold it with `withExtendedLifetime`.
final class SendService {
    let instance: PrivateInstance
    private(set) var running: Running?
    /// The command line of qmail-send when it may run under strace(1).
    var traced: String?
    /// The lines of processes that have ended.
    private var earlier: [String] = []

    /// Make an instance whose local domain is test.example, without starting anything.
    init(queues: Int = 1, split: Int = 7, control: [String: String] = [:]) throws {
        instance = try PrivateInstance(queues: queues)
        for n in 1...queues where split != 7 {
            let path = instance.root + "/var/spool/qhpsi/queue\(n)"
            try shell("rm -r '\(path)'")
            let made = try instance.command("usr/sbin/queue-fix", ["-s", "\(split)", path]).run()
            #expect(made.code == 0)
        }
        try instance.write("etc/qhpsi/control/locals", "test.example\n")
        for (name, text) in control { try instance.write("etc/qhpsi/control/" + name, text) }
        try useSpawner(Spawner.script)
        try shell("mkdir '\(instance.root)/switch' && : >'\(instance.root)/delivered'")
    }

    deinit {
        // What goes on in spite of this has no instance any more.
        if traced != nil { _ = try? signal(.kill) }
        running?.stop()
    }

    /// Replace both spawners by a script.
    func useSpawner(_ text: String) throws {
        for name in ["qmail-lspawn", "qmail-rspawn"] {
            // The old file may be running.
            try shell("rm -f '\(instance.root)/usr/sbin/\(name)'")
            try instance.write("usr/sbin/" + name, text)
            try shell("chmod 755 '\(instance.root)/usr/sbin/\(name)'")
        }
    }

    /// Make a file in `switch`, by which the spawners go, or remove it.
    func turn(_ name: String, on: Bool) throws {
        if on {
            try instance.write("switch/" + name, "")
        } else {
            try shell("rm -f '\(instance.root)/switch/\(name)'")
        }
    }

    /// Start it, at once or under another program.
    func start(under words: [String] = []) throws {
        let program = instance.root + "/usr/sbin/qmail-start"
        var command = instance.command("usr/sbin/qmail-start")
        let all = words + [program]
        command.path = Array(all[0].utf8)
        command.arguments = all.dropFirst().map { Array($0.utf8) }
        running = try command.start()
    }

    /// End it with SIGTERM and give its exit code.
    func stop() throws -> Int32? {
        try signal(.terminate)
        let deadline = Deadline(milliseconds: 30_000)
        while traced != nil, try !hasEnded(), !deadline.hasPassed {
            Clock.sleep(milliseconds: 20)
            try signal(.terminate)
        }
        return try ended()
    }

    /// Whether it has ended by itself; then `ended` says how.
    func hasEnded() throws -> Bool { try running?.child.hasEnded() ?? true }

    /// Wait until it ends by itself, and give its exit code.
    func ended() throws -> Int32? {
        guard let running else { return nil }
        let outcome = try running.wait(seconds: 60)
        earlier += Self.lines(outcome.output)
        self.running = nil
        return outcome.code
    }

    /// Send a signal to qmail-send.
    func signal(_ signal: Signal) throws {
        guard let traced else {
            try running?.child.signal(signal)
            return
        }
        // Until it is that, it is strace(1), which would leave a process behind that holds the pipes.
        try shell(
            "for id in $(pgrep -f '^\(traced)$'); do kill -\(signal.number) $id || true; done")
    }

    /// All log lines so far.
    func log() throws -> [String] {
        guard let running else { return earlier }
        return earlier + Self.lines(String(decoding: try running.output(), as: UTF8.self))
    }

    /// What the spawners have delivered: lines of channel, sender, recipient and the message's Subject.
    func delivered() throws -> [String] {
        Self.lines(try shell("cat '\(instance.root)/delivered'"))
    }

    /// Wait until something is so; false when it is not within the time.
    func wait(seconds: Int = 30, until isSo: () throws -> Bool) throws -> Bool {
        let deadline = Deadline(milliseconds: seconds * 1000)
        while !deadline.hasPassed {
            if try isSo() { return true }
            Clock.sleep(milliseconds: 10)
        }
        return try isSo()
    }

    /// Wait for a log line with these words; false when it does not come.
    func waitForLine(_ words: String, count: Int = 1, seconds: Int = 30) throws -> Bool {
        try wait(seconds: seconds) { try log().filter { $0.contains(words) }.count >= count }
    }

    /// Wait until no file of a message is left in any queue.
    func waitForEmptyQueues(seconds: Int = 60) throws -> Bool {
        try wait(seconds: seconds) { try instance.queueFiles().isEmpty }
    }

    /// Queue a message with these envelope records.
    func queue(
        _ subject: String, from sender: String = "alice@remote.example", to recipients: [String],
        records: String = ""
    ) throws {
        var envelope = "F\(sender)\0"
        if recipients.isEmpty { envelope += records }
        for recipient in recipients { envelope += "T\(recipient)\0" }
        if !recipients.isEmpty { envelope += records }
        let run = try instance.queueCommand(
            Array("Subject: \(subject)\n\nhello\n".utf8), Array((envelope + "\0").utf8)
        ).run()
        #expect(run.code == 0, "qmail-queue: \(run.errors)")
    }

    private static func lines(_ text: String) -> [String] {
        text.split(separator: "\n").map { String($0) }
    }
}

/// A spawner in Perl; the first word of the local part says what becomes of a delivery.
enum Spawner {
    static let script = #"""
        #!/usr/bin/perl
        # ok: success; defer: deferral while switch/deferring is there; fail: failure; slow: success once switch/go or go-local is there;
        # once: deferral at the first try; garbage: no letter that there is; twice: two reports; die: the end of the spawner, unless switch/living is there.
        use strict;
        my $root = $ENV{QHPSI_ROOT};
        my ($channel) = $0 =~ /qmail-(.)spawn/;
        $channel = $channel eq 'l' ? 'local' : 'remote';
        $| = 1;
        binmode STDIN; binmode STDOUT;
        sub say_all { my $text = shift; while (length $text) {
            my $n = syswrite STDOUT, $text; exit 111 unless $n; substr $text, 0, $n, '' } }
        my $limit = 100;
        if (open my $file, '<', "$root/switch/limit") { $limit = <$file> + 0 }
        say_all(chr $limit);
        sub deliver {
            my ($id, $mess, $sender, $recipient, $words) = @_;
            my $subject = '?';
            if (open my $file, '<', $mess) {
                while (<$file>) { last if /^$/; $subject = $1 if /^Subject: (.*)$/ }
            } else { return say_all("${id}Zno message: $!\n\0") }
            open my $out, '>>', "$root/delivered" or die;
            syswrite $out, "$channel <$sender> <$recipient> $subject\n";
            close $out;
            say_all("${id}K$words\0");
        }
        my ($input, @slow) = ('');
        my $open = 1;
        while ($open || @slow) {
            my $bits = ''; vec($bits, 0, 1) = 1 if $open;
            select $bits, undef, undef, @slow ? 0.02 : undef;
            if ($open && vec $bits, 0, 1) {
                my $n = sysread STDIN, $input, 65536, length $input;
                $open = 0 unless $n;
            }
            while ($input =~ s/^(..)([^\0]*)\0([^\0]*)\0([^\0]*)\0//s) {
                my ($id, $mess, $sender, $recipient) = ($1, $2, $3, $4);
                my $word = $recipient =~ /(?:^|-)(defer|once|fail|slow|garbage|twice|die)/ ? $1 : 'ok';
                if ($word eq 'defer' && -e "$root/switch/deferring") {
                    say_all("${id}Znot now (#4.3.0)\n\0");
                } elsif ($word eq 'once' && !-e "$root/switch/tried-$recipient") {
                    open my $file, '>', "$root/switch/tried-$recipient";
                    say_all("${id}Znot yet (#4.3.0)\n\0");
                } elsif ($word eq 'fail') { say_all("${id}DSorry, no mailbox here by that name. (#5.1.1)\n\0");
                } elsif ($word eq 'garbage' && -e "$root/switch/garbage") { say_all("${id}Qwhat?\0");
                } elsif ($word eq 'die' && !-e "$root/switch/living") { exit 1;
                } elsif ($word eq 'slow') { push @slow, [$id, $mess, $sender, $recipient];
                } else {
                    deliver($id, $mess, $sender, $recipient, "did 1+0+0\n");
                    say_all("${id}Kagain\n\0") if $word eq 'twice';
                }
            }
            if (@slow && (-e "$root/switch/go" || -e "$root/switch/go-$channel")) {
                deliver(@$_, "slowly\n") for @slow;
                @slow = ();
            }
        }
        """#
}
