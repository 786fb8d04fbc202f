import Posix
import Testbed
import Testing

/// A private instance that the doctor examines; root makes it, with the users and files of an installation.
struct Patient {
    let instance: PrivateInstance
    var root: String { instance.root }

    /// One that is well, as far as no program runs in it.
    init() throws {
        instance = try PrivateInstance()
        try shell(
            """
            cd '\(root)' && mkdir -p etc/service etc/qhpsi/tcp var/log/qhpsi proc/1 proc/12 && echo init >proc/1/comm
            echo qmail-send >proc/12/comm
            cat >etc/passwd <<'USERS'
            root:x:0:0::/root:/bin/sh
            alias:x:64010:65534::/home/alias:/bin/sh
            qmaild:x:64011:65534::/:/bin/false
            qmails:x:64012:64010::/:/bin/false
            qmailr:x:64013:64010::/:/bin/false
            qmailq:x:64015:64010::/:/bin/false
            qmaill:x:64016:65534::/:/bin/false
            qscand:x:64020:64020::/:/bin/false
            clamav:x:112:119::/:/bin/false
            USERS
            printf '%s\\n' root:x:0: nogroup:x:65534: qmail:x:64010: qscand:x:64020: clamav:x:119: >etc/group
            { awk -F: '$3 >= 64010 {print "user", $1, $3}' etc/passwd
              awk -F: '$3 == 64010 || $3 == 64020 {print "group", $1, $3}' etc/group; } >etc/qhpsi/ids
            echo 25000000 >etc/qhpsi/control/databytes
            printf '%s\\n' test.example mx.test.example >etc/qhpsi/control/locals
            mkdir -p home/alias/Maildir && echo '|fastforward -d /etc/qhpsi/aliases.cdb' >home/alias/.qmail-default
            echo ./Maildir/ >home/alias/.qmail-root
            printf '%s\\n' 'postmaster: root' 'mailer-daemon: postmaster' >etc/aliases
            QHPSI_ROOT=$PWD usr/bin/newaliases
            chown -R 0:0 etc usr && chown 64010 home/alias
            id() { awk -F: -v name="$2" '$1 == name { print $3 }' "etc/$1"; }
            grep -v '^#' '\(PrivateInstance.sourceTree)/etc/modes' | while read -r _ user group mode file capability; do
                if [ -e ".$file" ]; then
                    chown "$(id passwd "$user"):$(id group "$group")" ".$file" && chmod "$mode" ".$file"
                    if [ -n "$capability" ]; then setcap "$capability" ".$file"; fi
                fi
            done
            """)
        try instance.write("etc/qhpsi/defaultqueue/QHPSI", "plugin:clamd.so\n")
        try shell(
            "QHPSI_ROOT='\(root)' '\(root)/usr/sbin/queue-fix' '\(root)/var/spool/qhpsi/queue1'")
    }

    /// A service with variables, not supervised.
    func addService(_ name: String, _ variables: [String: String] = [:]) throws {
        try shell("mkdir -p '\(root)/etc/service/\(name)/variables'")
        for (variable, value) in variables {
            try instance.write("etc/service/\(name)/variables/\(variable)", value + "\n")
        }
    }

    /// A service that supervise says is up for long, as a process; the descriptor stands for supervise.
    func addRunningService(_ name: String, process: UInt8) throws -> FileDescriptor {
        try addService(name)
        let folder = "etc/service/\(name)/supervise"
        try change("mkdir -p \(folder) && mkfifo \(folder)/ok")
        let seconds = UInt64(Clock.seconds) + (1 << 62) + 10 - 1000
        let time = (0..<8).map { UInt8(truncatingIfNeeded: seconds >> (56 - 8 * UInt64($0))) }
        try instance.write(
            folder + "/status", time + [0, 0, 0, 0, process, 0, 0, 0, 0, UInt8(ascii: "u")])
        return try FileDescriptor.open(Array("\(root)/\(folder)/ok".utf8), .readNonBlocking)
    }

    /// Change files with a line of shell in the instance's folder.
    func change(_ line: String) throws { try shell("cd '\(root)' && " + line) }

    /// What one check says.
    func examine(_ check: String) throws -> Outcome {
        try instance.qhpsictl(["doctor", "--only", check])
    }

    /// Expect that a check finds no fault.
    func expectWell(_ check: String, _ words: String = "") throws {
        let outcome = try examine(check)
        #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome.output)\(outcome.errors)")
        #expect(outcome.output.contains(words), "\(outcome.output)")
    }

    /// Expect a problem, why it is one and what to do about it.
    func expectProblem(_ check: String, _ words: String, repair: String = "") throws {
        let outcome = try examine(check)
        #expect(outcome.code == 1 && outcome.errors.isEmpty, "\(outcome.output)\(outcome.errors)")
        let lines = outcome.output.split(separator: "\n").map(String.init)
        let index = lines.firstIndex { $0.contains("PROBLEM") && $0.contains(words) }
        guard let index, index + 2 < lines.count else {
            Issue.record("no problem with \(words): \(outcome.output)")
            return
        }
        #expect(lines[index + 1].contains("why: "))
        #expect(
            lines[index + 2].contains("do:  ") && lines[index + 2].contains(repair),
            "\(lines[index + 2])")
    }

    /// Expect advice, which is no fault.
    func expectAdvice(_ check: String, _ words: String) throws {
        let outcome = try examine(check)
        #expect(outcome.code == 0)
        #expect(
            outcome.output.split(separator: "\n").contains {
                $0.contains("consider") && $0.contains(words)
            }, "\(outcome.output)")
    }
}
