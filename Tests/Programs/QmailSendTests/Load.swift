import Posix
import Testbed
import Testing

/// Many messages at once.
enum Load {
    /// How many messages both runs of random kills have together.
    static var messages: Int {
        Environment.current["QHPSI_KILL_MESSAGES"].flatMap {
            Int(String(decoding: $0, as: UTF8.self))
        } ?? 10_000
    }

    /// Queue messages whose subject is in their recipients' addresses.
    ///
    /// `accepted` gets the subject of each for which qmail-queue said 0.
    static let script = #"""
        #!/usr/bin/perl
        use strict;
        my ($root, $from, $to, $isMixed) = @ARGV;
        $ENV{QHPSI_ROOT} = $root;
        $ENV{QUEUE_COUNT} = () = glob "$root/var/spool/qhpsi/queue*";
        for my $n ($from .. $to) {
            my $message = "$root/tmp.$$.m"; my $envelope = "$root/tmp.$$.e";
            open my $m, '>', $message or die; print $m "Subject: m$n\n\nhello\n"; close $m;
            my $word = !$isMixed || $n % 7 ? 'ok' : 'defer';
            open my $e, '>', $envelope or die;
            print $e "Falice\@remote.example\0T$word-m$n\@test.example\0",
                (!$isMixed || $n % 10 ? '' : "Tok-m$n\@far.example\0"), "\0";
            close $e;
            my $pid = fork;
            if (!$pid) {
                open STDIN, '<', $message or die; open STDOUT, '<', $envelope or die;
                exec "$root/usr/sbin/qmail-queue" or die;
            }
            waitpid $pid, 0;
            next if $?;
            open my $a, '>>', "$root/accepted" or die;
            syswrite $a, "m$n\n";
        }
        unlink "$root/tmp.$$.m", "$root/tmp.$$.e";
        """#

    /// Queue messages with one recipient each.
    static func queue(_ count: Int, into service: SendService, workers: Int) throws {
        for running in try start(count, into: service, workers: workers, isMixed: false) {
            #expect(try running.wait(seconds: 300).code == 0)
        }
    }

    /// Start queueing; when mixed, with deferrals and second recipients.
    static func start(
        _ count: Int, into service: SendService, workers: Int, isMixed: Bool
    ) throws -> [Running] {
        try service.instance.write("load", script)
        return try (0..<workers).map { worker in
            try Command(
                "/usr/bin/perl",
                [
                    service.instance.root + "/load", service.instance.root,
                    "\(count * worker / workers + 1)", "\(count * (worker + 1) / workers)",
                    isMixed ? "1" : "0",
                ]
            ).start()
        }
    }
}
