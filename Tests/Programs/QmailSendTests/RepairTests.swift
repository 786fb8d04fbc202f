import Posix
import Testbed
import Testing

/// queue-fix(8) in a loop beside live mail, as a package's postinst runs it on each upgrade.
@Suite struct RepairTests {
    /// For so long messages come in.
    private static let seconds = 60

    /// Queue messages one after the other until `enough` is there; their numbers go into `accepted`, exit codes into `refused`.
    private static let injector = #"""
        use strict;
        my ($root, $worker) = @ARGV;
        $ENV{QHPSI_ROOT} = $root;
        my $n = 0;
        until (-e "$root/enough") {
            my $name = "m$worker-" . $n++;
            my $message = "$root/tmp.$$.m"; my $envelope = "$root/tmp.$$.e";
            open my $m, '>', $message or die; print $m "Subject: $name\n\nhello\n"; close $m;
            my $far = $n % 5 ? '' : "Tok-$name\@far.example\0";
            open my $e, '>', $envelope or die; print $e "Falice\@remote.example\0Tok-$name\@test.example\0$far\0"; close $e;
            my $pid = fork;
            if (!$pid) {
                open STDIN, '<', $message or die; open STDOUT, '<', $envelope or die;
                exec "$root/usr/sbin/qmail-queue" or die;
            }
            waitpid $pid, 0;
            open my $out, '>>', $? ? "$root/refused" : "$root/accepted" or die;
            syswrite $out, $? ? ($? >> 8) . "\n" : "$name\n";
        }
        unlink "$root/tmp.$$.m", "$root/tmp.$$.e";
        """#

    /// Repair the queue again and again until `enough` is there; what it says goes into `repairs`.
    private static let repairer = #"""
        #!/bin/sh
        while [ ! -e "$QHPSI_ROOT/enough" ]; do
            "$QHPSI_ROOT/usr/sbin/queue-fix" "$QHPSI_ROOT/var/spool/qhpsi/queue1" 2>>"$QHPSI_ROOT/repairs" || echo "code $?" >>"$QHPSI_ROOT/repairs"
        done
        """#

    @Test
    func `whoever repairs the queue, every message is accepted and every accepted one delivered`()
        throws
    {
        let service = try SendService()
        let root = service.instance.root
        try withExtendedLifetime(service) {
            try shell(": >'\(root)/accepted'; : >'\(root)/refused'; : >'\(root)/repairs'")
            try service.instance.write("injector", Self.injector)
            _ = try service.instance.script("repairer", Self.repairer)
            try service.start()
            var workers: [Running] = []
            for worker in 1...4 {
                workers.append(
                    try Command("/usr/bin/perl", [root + "/injector", root, "\(worker)"]).start())
            }
            for _ in 1...2 {
                workers.append(try service.instance.command("repairer").start())
            }
            Clock.sleep(milliseconds: Self.seconds * 1000)
            try service.instance.write("enough", "")
            for worker in workers { #expect(try worker.wait(seconds: 60).code == 0) }
            let isDone = try service.wait(seconds: 60) {
                Clock.sleep(milliseconds: 200)
                return try shell(
                    "cd '\(root)/var/spool/qhpsi/queue1' && find todo info local remote bounce -type f"
                ).isEmpty
            }
            let left = try service.instance.queueFiles()
            #expect(isDone, "\(left.prefix(20))")
            try check(service)
            #expect(try service.stop() == 0)
        }
    }

    private func check(_ service: SendService) throws {
        let root = service.instance.root
        let delivered = try Set(service.delivered().compactMap { $0.split(separator: " ").last })
        let accepted = try shell("cat '\(root)/accepted'").split(separator: "\n")
        let refused = try shell("cat '\(root)/refused'").split(separator: "\n")
        let lost = accepted.filter { !delivered.contains($0) }
        print(
            "\(accepted.count) accepted, \(lost.count) lost, \(refused.count) refused \(Set(refused)), \(try shell("wc -l <'\(root)/repairs'").dropLast()) findings"
        )
        #expect(accepted.count > 100)
        #expect(lost.isEmpty)
        #expect(refused.isEmpty)
    }
}
