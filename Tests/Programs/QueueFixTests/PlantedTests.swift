import Posix
import Testbed
import Testing

/// A queue of qmailq's, which root repairs, and files of root's beside it which nothing in the queue may reach.
final class HostileQueue {
    let instance: PrivateInstance
    var queue: String { instance.root + "/var/spool/qhpsi/queue1" }

    /// Everything about root's files that a repair could change.
    private let safe: String

    init() throws {
        instance = try PrivateInstance()
        try instance.write(
            "etc/qhpsi/ids",
            "user qmailq 64015\nuser qmails 64012\nuser qmailr 64013\ngroup qmail 64010\ngroup qscand 64020\n"
        )
        try shell(
            """
            cd '\(instance.root)' && chmod 755 . && mkdir -m 700 safe safe/folder safe/empty
            for name in one two 5 12 tcpto; do echo $name >safe/folder/$name; chmod 600 safe/folder/$name; done
            echo precious >safe/file && chmod 600 safe/file && touch -d 2001-01-01 safe/file safe/folder/*
            """)
        safe = try Self.state(instance)
        #expect(try fix(["-s", "7"]).code == 0)
    }

    private static func state(_ instance: PrivateInstance) throws -> String {
        try shell(
            "cd '\(instance.root)/safe' && find . -printf '%p %y %m %U %G %s %T@ %l\\n' | sort && find . -type f -exec md5sum {} + | sort"
        )
    }

    func fix(_ arguments: [String] = []) throws -> Outcome {
        try instance.command("usr/sbin/queue-fix", arguments + [queue]).run()
    }

    /// A line of shell in the queue with the rights of its owner.
    func plant(_ line: String) throws {
        try shell(
            "cd '\(queue)' && safe='\(instance.root)/safe' setpriv --reuid=64015 --regid=64010 --clear-groups sh -ec '\(line)'"
        )
    }

    func isSafe() throws -> Bool {
        let now = try Self.state(instance)
        if now != safe { Issue.record("root's files were\n\(safe)and are\n\(now)") }
        return now == safe
    }
}

/// Whatever the queue's owner has put there, queue-fix(8) as root reaches only what is the queue's.
@Suite struct PlantedTests {
    @Test(arguments: [
        "mess", "todo", "intd", "info", "local", "remote", "bounce", "pid", "scan", "lock",
        "mess/3", "todo/0", "intd/6", "info/1", "local/2", "remote/4",
    ])
    func `a link where a folder belongs ends the repair before anything is changed`(name: String)
        throws
    {
        for target in ["folder", "empty", "file", "none"] {
            let hostile = try HostileQueue()
            // The first change that a repair would make.
            try shell("chmod 777 '\(hostile.queue)'")
            let old = "old" + name.split(separator: "/").joined()
            if name.contains("/") {
                try shell(
                    "cd '\(hostile.queue)' && rmdir \(name) && ln -s '\(hostile.instance.root)/safe/\(target)' \(name)"
                )
            } else {
                try hostile.plant("mv \(name) \(old) && ln -s \"$safe/\(target)\" \(name)")
            }
            for arguments in [[], ["-s", "23"]] {
                let outcome = try hostile.fix(arguments)
                #expect(outcome.code == 111)
                #expect(
                    outcome.errors
                        == "queue-fix: fatal: \(hostile.queue)/\(name) is a symbolic link where a folder should be\n"
                )
            }
            #expect(try hostile.isSafe())
            #expect(try shell("stat -c %a '\(hostile.queue)'") == "777\n")
        }
    }

    @Test(arguments: [
        ("conf-split", "file"), ("lock/sendmutex", "file"), ("lock/tcpto", "file"),
        ("lock/trigger", "file"), ("conf-split", "none"),
    ])
    func `a link where a file belongs ends the repair`(name: String, target: String) throws {
        let hostile = try HostileQueue()
        try hostile.plant("rm -f \(name) && ln -s \"$safe/\(target)\" \(name)")
        for arguments in [[], ["-s", "23"]] {
            let outcome = try hostile.fix(arguments)
            #expect(outcome.code == 111)
            #expect(outcome.errors.contains("\(hostile.queue)/\(name)"), "\(outcome.errors)")
            #expect(outcome.errors.contains("is a symbolic link"), "\(outcome.errors)")
        }
        #expect(try hostile.isSafe())
        #expect(try shell("ls '\(hostile.instance.root)/safe'") == "empty\nfile\nfolder\n")
    }

    @Test(arguments: [
        ("rmdir pid && : >pid", "pid is not a folder"),
        ("rmdir pid && mkfifo pid", "pid is not a folder"),
        ("rmdir mess/3 && : >mess/3", "mess/3 is not a folder"),
        ("rmdir mess/3 && mkfifo mess/3", "mess/3 is not a folder"),
        ("rm -f lock/tcpto && mkdir lock/tcpto", "lock/tcpto is not a file"),
        ("rm -f lock/tcpto && mkfifo lock/tcpto", "lock/tcpto is not a file"),
        ("rm -f lock/sendmutex && mkdir lock/sendmutex", "lock/sendmutex is not a file"),
        ("rm -f lock/sendmutex && mkfifo lock/sendmutex", "lock/sendmutex is not a file"),
        ("rm -f lock/trigger && : >lock/trigger", "lock/trigger is not a FIFO"),
        ("rm -f conf-split && mkfifo conf-split", "conf-split is not a file"),
        ("rm -f conf-split && mkdir conf-split", "conf-split is not a file"),
        ("mkdir pid/x && : >pid/x/y", "pid/x is not a file"),
        ("mkfifo pid/x", "pid/x is not a file"),
        ("ln -s \"$safe/file\" pid/x", "pid/x is a symbolic link where a file should be"),
        ("ln -s \"$safe/folder\" scan/x", "scan/x is a symbolic link where a file should be"),
        ("mkfifo mess/3/10", "mess/3/10 is not a file"),
        ("mkdir mess/3/10", "mess/3/10 is not a file"),
        ("ln -s \"$safe/folder/5\" mess/5/5", "mess/5/5 is not a file"),
        ("ln -s \"$safe/folder/5\" intd/5/5", "intd/5/5 is a symbolic link where a file should be"),
    ])
    func `a thing of another kind ends the repair and stays`(plant: String, words: String) throws {
        let hostile = try HostileQueue()
        try hostile.plant(plant)
        let before = try shell("cd '\(hostile.queue)' && find . -printf '%p %y %m %U\\n' | sort")
        let outcome = try hostile.fix()
        #expect(outcome.code == 111)
        #expect(outcome.errors == "queue-fix: fatal: \(hostile.queue)/\(words)\n")
        #expect(
            try shell("cd '\(hostile.queue)' && find . -printf '%p %y %m %U\\n' | sort") == before)
        #expect(try hostile.isSafe())
    }

    @Test(arguments: [
        "ln -s \"$safe/file\" conf-split.tmp", "ln -s \"$safe/none\" conf-split.tmp",
        "echo mine >conf-split.tmp && chmod 666 conf-split.tmp", "mkfifo conf-split.tmp",
    ])
    func `where the new split is written, what was planted is only removed`(plant: String) throws {
        let hostile = try HostileQueue()
        try hostile.plant(plant)
        let outcome = try hostile.fix(["-s", "11"])
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(
            try shell("cd '\(hostile.queue)' && stat -c '%F %a %U %h' conf-split && cat conf-split")
                .replacing("UNKNOWN", with: "64015") == "regular file 644 64015 1\n11\n")
        #expect(try hostile.isSafe())
        #expect(try shell("ls '\(hostile.instance.root)/safe'") == "empty\nfile\nfolder\n")
    }

    /// With fs.protected_hardlinks=0 the queue's owner can make them himself.
    @Test(arguments: [
        "lock/tcpto", "lock/sendmutex", "conf-split", "conf-split.tmp", "pid/x", "scan/x",
        "mess/5/5", "intd/5/5", "lock/.new",
    ])
    func `a second name of root's file changes nothing of it`(name: String) throws {
        for mode in ["600", "666"] {
            let hostile = try HostileQueue()
            let safe = hostile.instance.root + "/safe/file"
            try shell(
                "cd '\(hostile.queue)' && rm -f \(name) && ln '\(safe)' \(name) && chmod \(mode) '\(safe)'"
            )
            let before = try shell("stat -c '%a %u %g %s %Y' '\(safe)'; cat '\(safe)'")
            for arguments in [[], ["-s", "11"]] { _ = try hostile.fix(arguments) }
            #expect(try shell("stat -c '%a %u %g %s %Y' '\(safe)'; cat '\(safe)'") == before)
        }
    }

    @Test func `a queue that is a link, or lies behind a slash, is not repaired`() throws {
        let hostile = try HostileQueue()
        try shell(
            "mv '\(hostile.queue)' '\(hostile.queue).real' && ln -s '\(hostile.instance.root)/safe/folder' '\(hostile.queue)'"
        )
        for end in ["", "/", "///"] {
            let outcome = try hostile.instance.command("usr/sbin/queue-fix", [hostile.queue + end])
                .run()
            #expect(outcome.code == 111)
            #expect(outcome.errors.contains("is a symbolic link"), "\(outcome.errors)")
        }
        #expect(try hostile.isSafe())
    }

    @Test(arguments: [
        "ln -s \"$safe/folder\" lock/.new", "ln -s \"$safe/empty\" lock/.new", ": >lock/.new",
        "mkdir lock/.new && ln -s \"$safe/file\" lock/.new/it",
        "mkdir -m 777 lock/.new && : >lock/.new/it",
    ])
    func `a workshop that somebody else has made is not used`(plant: String) throws {
        let hostile = try HostileQueue()
        try hostile.plant("rm -f lock/tcpto && " + plant)
        let outcome = try hostile.fix()
        #expect(outcome.code == 111)
        #expect(outcome.errors.contains("\(hostile.queue)/lock/"), "\(outcome.errors)")
        #expect(try hostile.isSafe())
        #expect(try shell("find '\(hostile.queue)/lock' -uid 0").isEmpty)
    }
}

/// The queue's owner exchanges names while root repairs.
@Suite struct ExchangeTests {
    /// Gives a name to one thing after the other, as long as its parent lives: a file or folder of qmailq's, or a link to
    /// something of root's.
    private static let exchanger = #"""
        use strict;
        my ($name, $safe, @kinds) = @ARGV;
        $) = "64010 64010"; $( = 64010; $< = $> = 64015;
        my $parent = getppid;
        while (getppid == $parent) {
            for my $kind (@kinds) {
                unlink "$name.x"; rmdir "$name.x";
                if ($kind eq 'file') { open my $file, '>', "$name.x"; chmod 0777, "$name.x" }
                elsif ($kind eq 'folder') { mkdir "$name.x" }
                elsif ($kind eq 'gone') { }
                else { symlink "$safe/$kind", "$name.x" }
                # Then a new one has to be made in lock/.new.
                unlink "lock/tcpto" if $name eq "lock/.new";
                rename "$name", "$name.y.$$" ; rename "$name.x", $name;
                unlink "$name.y.$$"; rmdir "$name.y.$$";
            }
        }
        """#

    @Test(arguments: [
        ("lock/tcpto", ["file", "folder/tcpto"]), ("lock/trigger", ["file", "./file", "gone"]),
        ("pid", ["folder", "empty", "./folder"]), ("scan", ["folder", "./folder"]),
        ("mess/3", ["folder", "./folder"]), ("conf-split.tmp", ["file", "./file", "gone"]),
        ("lock/.new", ["gone", "./folder", "folder", "empty"]),
        ("pid/x", ["file", "./file", "./folder"]), ("bounce", ["folder", "empty", "gone"]),
    ])
    func `whatever he exchanges and when, no file of root's changes`(
        name: String, kinds: [String]
    ) throws {
        let hostile = try HostileQueue()
        try hostile.instance.write("exchanger", Self.exchanger)
        var command = Command(
            "/usr/bin/perl",
            [hostile.instance.root + "/exchanger", name, hostile.instance.root + "/safe"] + kinds)
        command.directory = Array(hostile.queue.utf8)
        let exchanger = try command.start()
        defer { exchanger.child.killGroup(); _ = try? exchanger.wait(seconds: 5) }
        let deadline = Deadline(milliseconds: 1500)
        var runs = 0
        var stopped = 0
        while !deadline.hasPassed, runs < 200 {
            let outcome = try hostile.fix(["-s", runs % 2 == 0 ? "7" : "5"])
            #expect([0, 1, 111].contains(outcome.code), "\(outcome)")
            runs += 1
            if outcome.code == 111 { stopped += 1 }
        }
        #expect(try hostile.isSafe())
        #expect(runs > 5)
        print("\(name) \(kinds): \(runs) repairs, \(stopped) of them stopped")
    }
}
