import Posix
import Testbed
import Testing

/// Helpers that fail: what they had under way is tried again, and what others had is not.
@Suite struct SpawnerTests {
    @Test func `a spawner that dies ends qmail-send with 111 after the other one has reported`()
        throws
    {
        let service = try SendService()
        try withExtendedLifetime(service) {
            try service.start()
            try service.queue("slow", to: ["slow@far.example"])
            #expect(try service.waitForLine("status: local 0/10 remote 1/20"))
            try service.queue("die", to: ["die@test.example"])
            #expect(try service.waitForLine("alert: qmail-lspawn is gone"))
            Clock.sleep(milliseconds: 200)
            try service.turn("go", on: true)
            #expect(try service.ended() == 111)
            #expect(try service.delivered().count == 1)
            #expect(try service.log().contains { $0.contains("success: slowly/") })
            // The one that was delivered is gone, the other one is not lost.
            #expect(try service.instance.queued().count == 1)
            try service.turn("living", on: true)
            try service.start()
            #expect(try service.waitForEmptyQueues())
            #expect(try service.delivered().count == 2)
        }
    }

    @Test func `a mangled report defers`() throws {
        let service = try SendService()
        try withExtendedLifetime(service) {
            try service.turn("garbage", on: true)
            try service.start()
            try service.queue("odd", to: ["garbage@test.example"])
            #expect(try service.waitForLine("report mangled, will defer"))
            try service.turn("garbage", on: false)
            try service.signal(.alarm)
            #expect(try service.waitForEmptyQueues())
            #expect(try service.delivered().count == 1)
        }
    }

    @Test func `a second report about a delivery changes nothing`() throws {
        let service = try SendService(control: ["concurrencylocal": "3\n"])
        try withExtendedLifetime(service) {
            try service.turn("deferring", on: true)
            try service.start()
            // Were the second report another delivery's, a deferred message would count as delivered.
            for n in 1...30 {
                try service.queue("t\(n)", to: ["twice\(n)@test.example"])
                try service.queue("d\(n)", to: ["defer\(n)@test.example"])
            }
            #expect(try service.waitForLine("deferral:", count: 30))
            #expect(try service.wait { try service.delivered().count == 30 })
            #expect(
                try service.waitForLine(
                    "a spawner reports a delivery that was not started", count: 30)
            )
            try service.turn("deferring", on: false)
            #expect(
                try service.wait {
                    try service.signal(.alarm)
                    return try service.delivered().count == 60
                })
            #expect(try service.waitForEmptyQueues())
        }
    }

    @Test func `noise instead of reports neither ends nor confuses it`() throws {
        let service = try SendService()
        try withExtendedLifetime(service) {
            try service.useSpawner(
                #"""
                #!/usr/bin/perl
                $| = 1; binmode STDOUT; print chr 20;
                print pack('v', 7), 'Kno such', "\0", "\xff\xffK\0", "\x5a\0\0", "\x5b\0", 'Z' x 30000, "\0";
                while (sysread STDIN, my $buffer, 4096) {
                    $input .= $buffer;
                    while ($input =~ s/^(..)[^\0]*\0[^\0]*\0[^\0]*\0//s) { print $1, 'Zx' x 20000, "\n\0" }
                }
                """#)
            try service.start()
            try service.queue("noise", to: ["ok@test.example"])
            #expect(try service.waitForLine("deferral: "))
            #expect(try service.waitForLine("that was not started", count: 3))
            try service.useSpawner(Spawner.script)
            #expect(try service.stop() == 0)
            try service.start()
            Clock.sleep(milliseconds: 500)
            #expect(
                try service.wait {
                    try service.signal(.alarm)
                    return try service.delivered().count == 1
                })
        }
    }

    @Test func `SIGTERM ends it while a spawner has not said hello`() throws {
        let service = try SendService()
        try withExtendedLifetime(service) {
            try service.useSpawner("#!/bin/sh\nexec sleep 5\n")
            try service.start()
            Clock.sleep(milliseconds: 300)
            #expect(try service.stop() == 0)
        }
    }

    /// A cleaner that says `x` to requests while switch/refusing is there, and is the real one otherwise.
    static let cleaner = #"""
        #!/usr/bin/perl
        use IPC::Open2;
        $| = 1;
        open2(my $answers, my $requests, "$ENV{QHPSI_ROOT}/usr/sbin/qmail-clean.real");
        sysread $answers, my $hello, 1; syswrite STDOUT, $hello;
        while (sysread STDIN, my $buffer, 1) {
            $request .= $buffer; next if $buffer ne "\0";
            if (-e "$ENV{QHPSI_ROOT}/switch/dying") { exit 1 }
            if (-e "$ENV{QHPSI_ROOT}/switch/refusing") { syswrite STDOUT, 'x' }
            else { syswrite $requests, $request; sysread $answers, my $answer, 1; syswrite STDOUT, $answer }
            $request = '';
        }
        """#

    private func useCleaner(_ service: SendService) throws {
        let path = service.instance.root + "/usr/sbin/qmail-clean"
        try shell("mv '\(path)' '\(path).real'")
        try service.instance.write("usr/sbin/qmail-clean", Self.cleaner)
        try shell("chmod 755 '\(path)'")
    }

    @Test(arguments: ["refusing", "dying"])
    func `nobody gets a message twice because qmail-clean cannot remove it`(how: String) throws {
        let service = try SendService()
        try withExtendedLifetime(service) {
            try useCleaner(service)
            try service.turn(how, on: true)
            try service.start()
            try service.queue("one", to: ["ok1@test.example"])
            if how == "refusing" {
                try service.queue("two", to: ["ok2@test.example", "ok3@far.example"])
                #expect(try service.wait { try service.delivered().count == 3 })
                #expect(try service.waitForLine("warning: unable to remove the files of", count: 2))
                try service.signal(.alarm)
                #expect(try service.stop() == 0)
            } else {
                #expect(try service.waitForLine("alert: qmail-clean is gone"))
                #expect(try service.ended() == 111)
            }
            let before = try service.delivered()
            // Another process does not deliver them again either, refused or not.
            for _ in 1...2 {
                try service.start()
                Clock.sleep(milliseconds: 700)
                if how == "refusing" {
                    #expect(try service.stop() == 0)
                } else {
                    _ = try service.stop()
                }
                #expect(try service.delivered() == before)
            }
            try service.turn(how, on: false)
            try service.start()
            #expect(try service.waitForEmptyQueues())
            #expect(try service.delivered() == before)
        }
    }
}
