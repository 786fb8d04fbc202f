import Posix
import Testbed
import Testing

/// Services of a patient under the real supervise, stopped with their owner.
private final class Supervision {
    let patient: Patient
    private var running: [Running] = []

    init() throws { patient = try Patient() }

    /// Run a service and wait until it is supervised.
    func start(_ name: String, _ script: String, logger: String? = nil) throws {
        try patient.addService(name)
        try write(name, script)
        if let logger { try write(name + "/log", logger) }
        try supervise(name)
        if logger != nil { try supervise(name + "/log") }
    }

    private func write(_ service: String, _ script: String) throws {
        try patient.change("mkdir -p etc/service/\(service)")
        _ = try patient.instance.script("etc/service/\(service)/run", script)
    }

    private func supervise(_ service: String) throws {
        let folder = "\(patient.root)/etc/service/\(service)"
        running.append(try Command(try Tools.path(of: "supervise"), [folder]).start())
        try shell(
            "for i in $(seq 500); do svok '\(folder)' && svstat '\(folder)' | grep -qE 'up|down' && exit 0; sleep 0.02; done; exit 1"
        )
    }

    /// Tell supervise, and wait until svstat says this.
    func svc(_ options: String, _ service: String, until words: String) throws {
        let folder = "\(patient.root)/etc/service/\(service)"
        try shell(
            "svc \(options) '\(folder)'; for i in $(seq 500); do svstat '\(folder)' | grep -q '\(words)' && exit 0; sleep 0.02; done; svstat '\(folder)'; exit 1"
        )
    }

    deinit {
        for service in (try? Files.names(in: Array("\(patient.root)/etc/service".utf8))) ?? [] {
            let folder = "\(patient.root)/etc/service/" + String(decoding: service, as: UTF8.self)
            _ = try? shell(
                "svc -dx '\(folder)'; if [ -e '\(folder)/log' ]; then svc -dx '\(folder)/log'; fi")
        }
        for process in running { process.stop() }
    }
}

@Test func `supervised services are told as supervise tells them`() throws {
    let supervision = try Supervision()
    let patient = supervision.patient
    try supervision.start("qmail-send", "exec sleep 1000\n", logger: "exec sleep 1000\n")
    Clock.sleep(milliseconds: 5200)
    try patient.expectWell("services", "qmail-send is up (pid ")
    try supervision.svc("-d", "qmail-send", until: ": down")
    try patient.expectProblem("services", "qmail-send is down", repair: "svc -u ")
    try patient.change("chmod 644 etc/service/qmail-send/run")
    try patient.expectProblem("services", "run cannot be executed", repair: "chmod 755 ")
    try patient.change("chmod 755 etc/service/qmail-send/run")
    try patient.change("touch etc/service/qmail-send/down")
    try patient.expectWell("services", "qmail-send is down, as its file down says")
    try supervision.svc("-u", "qmail-send", until: ": up")
    Clock.sleep(milliseconds: 5200)
    try patient.expectAdvice("services", "keeps it from starting at boot")
    try supervision.svc("-p", "qmail-send", until: "paused")
    try patient.expectProblem("services", "qmail-send is paused", repair: "svc -c ")
    try supervision.svc("-c", "qmail-send", until: ": up")
    try supervision.svc("-d", "qmail-send/log", until: ": down")
    try patient.expectProblem("services", "the logger of qmail-send is not up", repair: "/log")
    withExtendedLifetime(supervision) {}
}

@Test func `a service without supervise is found, and no service is nothing to check`() throws {
    let patient = try Patient()
    try patient.expectWell("services", "there are no services in ")
    try patient.addService("clamd")
    try patient.expectProblem(
        "services", "clamd has no supervise", repair: "systemctl enable --now daemontools-run")
}

/// Put a record of supervise's into a service without one; the FIFO must be held open for reading.
private func pretend(_ patient: Patient, _ record: [UInt8]) throws -> FileDescriptor {
    let folder = patient.root + "/etc/service/freshclam/supervise"
    try patient.change(
        "mkdir -p etc/service/freshclam/supervise && rm -f '\(folder)/ok' && mkfifo '\(folder)/ok'")
    let status = try FileDescriptor.open(Array((folder + "/status").utf8), .replace)
    try status.write(record)
    return try FileDescriptor.open(Array((folder + "/ok").utf8), .readNonBlocking)
}

@Test func `a service that has only just begun may be one that always ends`() throws {
    let patient = try Patient()
    // In TAI64N, 1000 seconds from now.
    let seconds = UInt64(Clock.seconds) + (1 << 62) + 1010
    let time = (0..<8).map { UInt8(truncatingIfNeeded: seconds >> (56 - 8 * UInt64($0))) }
    let fifo = try pretend(patient, time + [0, 0, 0, 0, 77, 0, 0, 0, 0, UInt8(ascii: "u")])
    try patient.expectAdvice("services", "freshclam has been up for 0 s only")
    try fifo.close()
    try patient.expectProblem("services", "freshclam has no supervise")
}

@Test(arguments: [0, 5, 17])
func `a short record of supervise is found and does not trap`(size: Int) throws {
    let patient = try Patient()
    let fifo = try pretend(patient, [UInt8](repeating: 255, count: size))
    try patient.expectProblem("services", "is not what supervise writes")
    try fifo.close()
}

@Test func `a record of supervise with impossible numbers does not trap`() throws {
    let patient = try Patient()
    let fifo = try pretend(patient, [UInt8](repeating: 255, count: 20))
    try patient.expectProblem("services", "freshclam is paused")
    try fifo.close()
}

@Test func `the log folder of a service is the logger's`() throws {
    let patient = try Patient()
    try patient.expectWell("logs", "no services that log")
    try patient.addService("qmail-smtpd.25")
    try patient.change("mkdir etc/service/qmail-smtpd.25/log")
    try patient.expectProblem("logs", "there is no folder ", repair: "install -d -o qmaill")
    try patient.change("mkdir var/log/qhpsi/qmail-smtpd.25")
    try patient.expectProblem("logs", "qmail-smtpd.25 belongs to root", repair: "chown -R qmaill")
    try patient.change("chown 64016 var/log/qhpsi/qmail-smtpd.25")
    try patient.expectWell("logs", "is the logger's")
    try patient.change("chmod 777 var/log/qhpsi/qmail-smtpd.25")
    try patient.expectProblem("logs", "everybody may write ", repair: "chmod o-w")
}

@Test func `a disk that has no room for logs is found`() throws {
    let patient = try Patient()
    try patient.addService("qmail-smtpd.25")
    try patient.change("mount -t tmpfs -o size=32m none var/log/qhpsi")
    defer { _ = try? patient.change("umount var/log/qhpsi") }
    try patient.expectWell("logs")
    try patient.change("head -c 20000000 /dev/zero >var/log/qhpsi/fill")
    try patient.expectProblem("logs", "inodes left on its disk", repair: "df -h ")
}

@Test func `tcpserver on the port of a service is well, another program is not`() throws {
    let patient = try Patient()
    // The kernel's own table and processes.
    try patient.change("rm -r proc")
    try patient.expectWell("ports", "there is no SMTP service")
    let server = try ListeningServer(Command("/bin/cat"))
    try patient.addService("qmail-smtpd.25", ["PORT": "\(server.port)"])
    try withExtendedLifetime(server) {
        try patient.expectWell("ports", "port \(server.port): tcpserver listens")
    }
    guard let address = SocketAddress.internet(Array("127.0.0.1".utf8), port: 0) else { return }
    let own = try FileDescriptor.listening(on: address, backlog: 1)
    let port = try own.port()
    try patient.addService("qmail-smtpd.25", ["PORT": "\(port)"])
    try patient.expectProblem("ports", "listens, not tcpserver", repair: "ss -lntp")
    try own.close()
    try patient.expectProblem("ports", "port \(port): nobody listens", repair: "svstat")
    try patient.change("touch etc/service/qmail-smtpd.25/down")
    try patient.expectWell("ports", "nobody listens, and qmail-smtpd.25 is kept down")
    try patient.addService("qmail-smtpd.25", ["PORT": "smtp"])
    try patient.expectProblem("ports", "PORT is not a port")
}

@Test func `a table of ports that the kernel would not write does not trap`() throws {
    let patient = try Patient()
    try patient.addService("qmail-smtpd.25")
    try patient.change(
        "mkdir proc/net; { echo; echo a b c; echo '0: :0019 x 0A'; echo '0: 0:0019 x 0A 5 6 7 8 9 10'; echo '1: FFFFFF:99999999999999999999 0 0A 5 6 7 8 9 10'; head -c 3000 /dev/urandom; } >proc/net/tcp"
    )
    let outcome = try patient.examine("ports")
    #expect(outcome.code == 111 && outcome.output.contains("port 25: who listens cannot be seen"))
}

private func certificate(_ patient: Patient, days: Int) throws {
    try patient.change(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=mx.test.example -days \(days) -keyout key.pem -out cert.pem 2>/dev/null && cat cert.pem key.pem >etc/qhpsi/control/servercert.pem && chown 64011 etc/qhpsi/control/servercert.pem && chmod 600 etc/qhpsi/control/servercert.pem"
    )
}

@Test func `a certificate that is valid and readable for qmaild only is well`() throws {
    let patient = try Patient()
    try certificate(patient, days: 90)
    try patient.expectWell("certificate", "is valid until ")
}

@Test func `a certificate that is missing, late, open, closed or none is found`() throws {
    let patient = try Patient()
    try patient.expectAdvice("certificate", "there is no certificate")
    try patient.addService("qmail-smtpd.465", ["SMTPS": "1"])
    try patient.expectProblem("certificate", "there is no certificate", repair: "openssl req")
    try certificate(patient, days: 7)
    try patient.expectAdvice("certificate", " only")
    try patient.change("chmod 644 etc/qhpsi/control/servercert.pem")
    try patient.expectProblem("certificate", "everybody may read", repair: "chmod 600")
    try patient.change(
        "chmod 600 etc/qhpsi/control/servercert.pem; chown 0 etc/qhpsi/control/servercert.pem")
    try patient.expectProblem("certificate", "qmaild cannot read", repair: "chown qmaild")
    try patient.change(
        "head -c 500 /dev/urandom >etc/qhpsi/control/servercert.pem; chown 64011 etc/qhpsi/control/servercert.pem"
    )
    try patient.expectProblem("certificate", "is no certificate")
    try patient.change(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x -days -1 -keyout key.pem -out etc/qhpsi/control/servercert.pem 2>/dev/null || cp /dev/null etc/qhpsi/control/servercert.pem; chmod 600 etc/qhpsi/control/servercert.pem"
    )
    #expect(try patient.examine("certificate").code == 1)
}
