import Posix
import Testbed
import Testing

/// What is wrong with a patient, and what the doctor says of it.
struct Ailment: Sendable, CustomStringConvertible {
    let check: String
    /// Lines of shell in the patient's folder: before all is well, and for what then breaks it.
    var before = ""
    let breaking: String
    let words: String
    /// Programs that reach beyond the patient, by their name: what they do to him.
    var others: [String: String] = [:]
    var description: String { "\(check): \(words)" }
}

extension Patient {
    /// Break what is well, expect that the doctor says so, type what he says, and expect that it is gone.
    func expectCure(of ailment: Ailment) throws {
        try change(ailment.breaking)
        let sick = try examine(ailment.check).output
        #expect(sick.contains(ailment.words), "\(sick)")
        try typeRemedies(ailment.check, ailment.others)
        let healed = try examine(ailment.check)
        #expect(healed.code == 0 && !healed.output.contains("do:  "), "\(healed.output)")
    }

    /// Type every remedy of a check, as it is printed.
    func typeRemedies(_ check: String, _ others: [String: String]) throws {
        let remedies = try examine(check).output.split(separator: "\n").compactMap { line in
            line.firstRange(of: "do:  ").map { String(line[$0.upperBound...]) }
        }
        #expect(!remedies.isEmpty)
        try change("mkdir -p stubs")
        // Users of the patient are not the machine's.
        let known = [
            "chown": "exec /bin/chown $(echo \"$*\" | sed 's/qmaild/64011/')",
            "install": "exec /usr/bin/install $(echo \"$*\" | sed 's/-o alias/-o 64010/')",
            "runuser": "while [ \"$1\" != -- ]; do shift; done; shift; exec \"$@\"", "svc": "",
            "systemctl": "", "tail": "",
        ].merging(others) { $1 }
        for (name, body) in known {
            let place = others[name] == nil ? "" : "cd '\(root)'\n"
            _ = try instance.script(
                "stubs/" + name, "echo \"\(name) $*\" >>'\(root)/notes'\n\(place)\(body)\n")
        }
        for remedy in remedies {
            try instance.write("typed", remedy + "\n")
            let path = "'\(root)/stubs:\(root)/usr/sbin:\(root)/usr/bin:\(Tools.searchPath)'"
            try shell("cd '\(root)' && PATH=\(path) QHPSI_ROOT='\(root)' bash -e typed 2>&1")
        }
    }
}

/// For each ailment: the doctor says it, what he says to type is typed, and it is gone.
@Suite struct RemedyTests {
    private static let pair =
        "cd etc/qhpsi/control && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 90 -subj /CN=mx.test.example -keyout serverkey.pem -out servercert.pem 2>/dev/null && chown 64011 serverkey.pem && chmod 600 serverkey.pem; cd ../../.."
    private static let port25 =
        "mkdir -p etc/service/qmail-smtpd.25/variables && echo plugin:clamd.so >etc/service/qmail-smtpd.25/variables/QHPSI"
    private static func rules(_ line: String) -> String {
        "printf '%s\\n' '127.:allow,RELAYCLIENT=\"\"' '\(line)' >etc/qhpsi/tcp/tcp.smtp && usr/bin/tcprules etc/qhpsi/tcp/tcp.smtp.cdb etc/qhpsi/tcp/tcp.smtp.tmp <etc/qhpsi/tcp/tcp.smtp"
    }

    private static let certificates = [
        Ailment(
            check: "certificate", before: pair,
            breaking: "chown 0 etc/qhpsi/control/serverkey.pem",
            words: "qmaild cannot read"),
        Ailment(
            check: "certificate", before: pair,
            breaking: "chmod 000 etc/qhpsi/control/serverkey.pem",
            words: "qmaild cannot read"),
        Ailment(
            check: "certificate", before: pair,
            breaking: "chmod 644 etc/qhpsi/control/serverkey.pem",
            words: "everybody may read"),
        Ailment(
            check: "certificate", before: pair,
            breaking:
                "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 2>/dev/null >etc/qhpsi/control/serverkey.pem",
            words: "is not the key of"),
        Ailment(
            check: "certificate", before: pair,
            breaking: "echo nonsense >etc/qhpsi/control/serverkey.pem",
            words: "there is no key in"),
        Ailment(
            check: "certificate", before: pair, breaking: "rm etc/qhpsi/control/serverkey.pem",
            words: "there is no key of"),
        Ailment(
            check: "certificate", before: pair,
            breaking: "rm etc/qhpsi/control/server*.pem", words: "there is no certificate"),
        Ailment(
            check: "certificate", before: pair,
            breaking: "echo nonsense >etc/qhpsi/control/servercert.pem",
            words: "is no certificate"),
        Ailment(
            check: "certificate", before: pair,
            breaking: pair.replacing("-days 90", with: "-days 3"), words: " only"),
    ]

    private static let files = [
        Ailment(
            check: "control", before: "echo test.example >etc/qhpsi/control/locals",
            breaking: "echo other.example >>etc/qhpsi/control/rcpthosts",
            words: "other.example is in "),
        Ailment(
            check: "control",
            before:
                "echo 'a.example:bob' >etc/qhpsi/control/virtualdomains; printf '%s\\n' test.example mx.test.example >etc/qhpsi/control/locals; printf '%s\\n' test.example a.example .b.example >etc/qhpsi/control/rcpthosts; echo c.example >>etc/qhpsi/control/rcpthosts; echo c.example: >etc/qhpsi/control/smtproutes",
            breaking: "rm etc/qhpsi/control/virtualdomains", words: "a.example is in "),
        Ailment(
            check: "control", before: "echo test.example >etc/qhpsi/control/locals",
            breaking: "echo mx >etc/qhpsi/control/me", words: "without a domain",
            others: ["dpkg-reconfigure": "echo mx.test.example >etc/qhpsi/control/me"]),
        Ailment(
            check: "control", breaking: "echo localhost.localdomain >etc/qhpsi/control/me",
            words: "which is every machine's name",
            others: ["dpkg-reconfigure": "echo mx.test.example >etc/qhpsi/control/me"]),
        Ailment(
            check: "control", breaking: "echo 0 >etc/qhpsi/control/concurrencyremote",
            words: "concurrencyremote is 0"),
        Ailment(
            check: "databases",
            breaking:
                "touch -d 'now + 1 minute' etc/qhpsi/aliases.cdb; touch -d '1 minute ago' etc/qhpsi/aliases.cdb",
            words: "aliases.cdb is older"),
        Ailment(
            check: "databases", breaking: "rm etc/qhpsi/aliases.cdb",
            words: "there is no "),
        Ailment(
            check: "databases",
            before:
                "mkdir -p etc/qhpsi/users && echo . >etc/qhpsi/users/assign && QHPSI_ROOT=$PWD usr/sbin/qmail-newu",
            breaking: "touch -d '1 minute ago' etc/qhpsi/users/cdb", words: "users/cdb is older"),
        Ailment(
            check: "databases",
            before:
                "echo bob@test.example >etc/qhpsi/control/recipients && QHPSI_ROOT=$PWD usr/sbin/qmail-recipients",
            breaking: "touch -d '1 minute ago' etc/qhpsi/control/recipients.cdb",
            words: "recipients.cdb is older"),
        Ailment(
            check: "aliases", breaking: "rm home/alias/.qmail-default",
            words: ".qmail-default"),
        Ailment(
            check: "aliases", breaking: "rm home/alias/.qmail-root",
            words: "mail for root comes to nobody"),
        Ailment(
            check: "aliases",
            breaking: "sed -i /^postmaster/d etc/aliases && QHPSI_ROOT=$PWD usr/bin/newaliases",
            words: "mail for postmaster comes to nobody"),
        Ailment(
            check: "aliases", breaking: "rm -r home/alias",
            words: "home/alias, is not there"),
        Ailment(
            check: "aliases",
            breaking: "sed -i 's,^alias:.*,alias:x:64010:65534::/:/bin/sh,' etc/passwd",
            words: "the home of the user alias, ",
            others: ["usermod": "sed -i \"/^alias:/s,::[^:]*:,::$2:,\" etc/passwd"]),
        Ailment(
            check: "aliases", breaking: "chown 64011 home/alias",
            words: "is not his",
            others: ["usermod": "sed -i \"/^alias:/s,::[^:]*:,::$2:,\" etc/passwd"]),
        Ailment(
            check: "services", breaking: "rm -r proc/12; mkdir -p etc/sv/qmail-send",
            words: "nothing runs qmail-send",
            others: ["ln": "mkdir -p proc/12 && echo qmail-send >proc/12/comm"]),
        Ailment(
            check: "waiting", breaking: "touch -d '3 days ago' var/spool/qhpsi/queue1/mess/0/14",
            words: "1 message has waited for more than a day, the longest for 3",
            others: ["svc": "rm var/spool/qhpsi/queue1/mess/0/14"]),
        Ailment(
            check: "waiting",
            breaking:
                "cd var/spool/qhpsi/queue1 && touch -d '3 hours ago' mess/0/7 hold/0/7",
            words: "1 message is held for a scan, the longest for 3 hours",
            others: ["svc": "cd var/spool/qhpsi/queue1 && rm mess/0/7 hold/0/7"]),
    ]

    private static let scanners = [
        Ailment(
            check: "apparmor", before: rules(":allow"),
            breaking: rules(":allow,QHPSI=\"/usr/bin/clamdscan %s --quiet --no-summary\""),
            words: "the user clamav is not in the group qscand",
            others: ["adduser": "sed -i 's/^qscand:.*/&clamav/' etc/group"]),
        Ailment(
            check: "settings", before: rules(":allow"),
            breaking: rules(":allow,QHPSI=\"/no/such/scanner %s\",REJECTVIRUS=\"1\""),
            words: "program /no/such/scanner"),
        Ailment(
            check: "settings", before: rules(":allow"),
            breaking: rules(":allow,A=\"b\",REJECTVIRUS=\"yes\",C=\"d\""),
            words: "REJECTVIRUS: expected a number"),
        Ailment(
            check: "settings", before: rules(":allow"),
            breaking: rules(":allow,DATABYTES=\"10M\""),
            words: "DATABYTES: expected a number in decimal digits"),
        Ailment(
            check: "settings", before: port25 + "; " + rules(":allow"),
            breaking: rules("192.0.2.:allow,REJECT_VIRUS=\"1\",RELAYCLIENT=\"\""),
            words: "no program reads the variable REJECT_VIRUS"),
        Ailment(
            check: "settings", before: port25 + "; " + rules(":allow"),
            breaking: rules(":allow,Databyte=\"1000\""),
            words: "no program reads the variable Databyte"),
        Ailment(
            check: "settings", before: port25,
            breaking: "echo 2M >etc/service/qmail-smtpd.25/variables/DATABYTES",
            words: "DATABYTES: expected a number in decimal digits"),
        Ailment(
            check: "settings", before: port25,
            breaking: "echo zen.example.org >etc/service/qmail-smtpd.25/variables/DNSBL",
            words: "DNSBL: expected options such as: -b -r list.example"),
        Ailment(
            check: "settings", before: port25,
            breaking: "echo 0 >etc/service/qmail-smtpd.25/variables/MAXDAEMONS",
            words: "MAXDAEMONS: expected a number of sessions"),
        Ailment(
            check: "settings", before: port25,
            breaking: "echo 1 >etc/service/qmail-smtpd.25/variables/REJECTVIRII",
            words: "no program reads the variable REJECTVIRII"),
        Ailment(
            check: "settings", breaking: "echo defer >etc/qhpsi/defaultqueue/QHPSIONEROR",
            words: "no program reads the variable QHPSIONEROR"),
        Ailment(
            check: "settings",
            before:
                "mkdir -p usr/share/qhpsi && cp -r etc/qhpsi/defaultqueue usr/share/qhpsi/",
            breaking: "rm -r etc/qhpsi/defaultqueue", words: "unable to read "),
        Ailment(
            check: "settings", breaking: "echo yes >etc/qhpsi/defaultqueue/REJECTVIRUS",
            words: "REJECTVIRUS: expected a number"),
        Ailment(
            check: "signatures",
            before:
                "mkdir -p etc/clamav var/lib/clamav && echo 'DatabaseDirectory /var/lib/clamav' >etc/clamav/clamd.conf && echo Own.Test:0:*:414243444546 >var/lib/clamav/own.ndb",
            breaking: "touch -d '9 days ago' var/lib/clamav/own.ndb",
            words: "9 days old",
            others: ["systemctl": "touch var/lib/clamav/own.ndb"]),
        Ailment(
            check: "signatures",
            before:
                "mkdir -p etc/service/freshclam/variables etc/clamav var/lib/clamav && echo 'DatabaseDirectory /var/lib/clamav' >etc/clamav/clamd.conf && echo Own.Test:0:*:414243444546 >var/lib/clamav/own.ndb",
            breaking: "touch -d '9 days ago' var/lib/clamav/own.ndb",
            words: "9 days old",
            others: [
                "systemctl": "echo $* >disabled",
                "svc":
                    "grep 'disable --now clamav-freshclam' disabled && touch var/lib/clamav/own.ndb",
            ]),
    ]

    @Test(arguments: certificates + files + scanners)
    func `what the doctor says to type helps`(ailment: Ailment) throws {
        let patient = try Patient()
        try patient.instance.write("etc/qhpsi/defaultqueue/CLAMD_SOCKETS", "/no/clamd\n")
        if !ailment.before.isEmpty { try patient.change(ailment.before) }
        try patient.expectWell(ailment.check)
        try patient.expectCure(of: ailment)
    }

    @Test func `a service that only waits is found, and its own words say what to type`() throws {
        let patient = try Patient()
        let fifo = try patient.addRunningService("freshclam", process: 77)
        try patient.change("mkdir -p var/log/qhpsi/freshclam proc/77")
        try patient.change("echo freshclam >proc/77/comm")
        try patient.expectWell("services", "freshclam is up")
        try patient.change(
            "echo run-freshclam >proc/77/comm; echo '@4000000000000000aaaaaaaa waiting: another freshclam, of systemd perhaps, is running; to hand over: systemctl disable --now clamav-freshclam.service' >var/log/qhpsi/freshclam/current"
        )
        try patient.expectProblem(
            "services", "freshclam is up, and only waits: another freshclam",
            repair: "systemctl disable --now clamav-freshclam.service")
        try patient.typeRemedies("services", ["systemctl": "echo freshclam >proc/77/comm"])
        try patient.expectWell("services", "freshclam is up")
        try patient.change(
            "echo run-freshclam >proc/77/comm; echo '@4000000000000000aaaaaaaa that is over; going on' >>var/log/qhpsi/freshclam/current"
        )
        try patient.expectWell("services", "freshclam is up")
        try fifo.close()
    }

    @Test func `a service's fault is not told of the rules that leave it as it is`() throws {
        let patient = try Patient()
        try patient.change(
            Self.port25 + "; " + Self.rules(":allow,REJECTVIRUS=\"1\"")
                + "; cd etc/service/qmail-smtpd.25/variables && echo a@b@c >VIRUSFORWARD && echo 1 >QHPSIMAXSIZ"
        )
        let said = try patient.examine("settings").output
        #expect(said.contains("qmail-smtpd.25: VIRUSFORWARD: expected one address"), "\(said)")
        #expect(said.contains("no program reads the variable QHPSIMAXSIZ"), "\(said)")
        #expect(!said.contains("the rule of"), "\(said)")
        try patient.change("cd etc/service/qmail-smtpd.25/variables && rm VIRUSFORWARD QHPSIMAXSIZ")
        try patient.expectWell("settings", "the rule of ")
    }

    @Test func `a clamd that systemd has disabled is enabled, not only started`() throws {
        let patient = try Patient()
        let fake = try FakeClamd(
            [.readCommand, .say("PONG\0")], [.readCommand, .say("ClamAV 1.4.3\0")])
        try withExtendedLifetime(fake) {
            try patient.instance.write(
                "etc/qhpsi/defaultqueue/CLAMD_SOCKETS", patient.root + "/clamd.ctl\n")
            try patient.expectProblem("clamd", "No such file or directory", repair: "enable --now")
            try patient.typeRemedies(
                "clamd",
                [
                    "systemctl":
                        "[ $1 = enable ] && ln -s '\(fake.address)' clamd.ctl && chmod 666 '\(fake.address)'"
                ])
            try patient.expectWell("clamd", "answers: ClamAV 1.4.3")
        }
    }

    @Test func `name servers that do not answer are found, where there is a way to others`() throws
    {
        let patient = try Patient()
        try patient.expectWell("dns", "a private instance has no /etc/resolv.conf")
        try patient.change(
            "echo 'nameserver 127.0.0.77' >etc/resolv.conf; mkdir proc/net; echo Iface >proc/net/route"
        )
        try patient.expectWell("dns", "this machine reaches itself only")
        try patient.change("printf 'eth0\\t00000000\\t0100000A\\n' >>proc/net/route")
        try patient.expectProblem("dns", "no name server answers: 127.0.0.77", repair: "unbound")
        for (file, words) in [
            ("ln -s ../run/systemd/resolve/stub-resolv.conf", "resolved.conf.d/qhpsi.conf"),
            ("ln -s resolvconf/run/resolv.conf", "resolvconf -a lo.unbound"),
            ("ln -s ../run/NetworkManager/resolv.conf", "NetworkManager/conf.d/qhpsi.conf"),
            ("echo '# Generated by NetworkManager' >", "NetworkManager/conf.d/qhpsi.conf"),
        ] {
            try patient.change("rm -f etc/resolv.conf; \(file) etc/resolv.conf")
            let said = try patient.examine("dns").output
            #expect(
                said.contains("do:  apt install unbound && ") && said.contains(words), "\(said)")
            #expect(!said.contains(">\(patient.root)/etc/resolv.conf"), "\(said)")
        }
        try patient.change("rm etc/resolv.conf; echo 'search example.org' >etc/resolv.conf")
        try patient.expectProblem("dns", "names no name server", repair: "unbound")
        try patient.instance.write(
            "server",
            #"""
            use strict; use Socket;
            socket my $s, PF_INET, SOCK_DGRAM, 0 or die; bind $s, sockaddr_in(53, inet_aton('127.0.0.1')) or die;
            alarm 60;
            while (my $from = recv $s, my $q, 512, 0) { substr($q, 2, 2) = "\x81\x83"; send $s, $q, 0, $from }
            """#)
        try patient.typeRemedies(
            "dns", ["apt": "perl server >/dev/null 2>&1 & echo $! >server.pid; sleep 0.5"])
        try patient.expectWell("dns", "the name server 127.0.0.1 answers")
        try patient.change("grep -x 'search example.org' etc/resolv.conf etc/resolv.conf.before")
        try patient.addService("qmail-send", ["DNSCACHEIP": "127.0.0.78"])
        try patient.expectProblem(
            "dns", "no name server answers: 127.0.0.78, of ", repair: "svc -t ")
        try patient.typeRemedies("dns", [:])
        try patient.expectWell("dns", "the name server 127.0.0.1 answers")
        try patient.change("kill $(cat server.pid)")
        try patient.expectProblem("dns", "no name server answers: 127.0.0.1")
    }
}
