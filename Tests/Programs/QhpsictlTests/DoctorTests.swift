import Posix
import Testbed
import Testing

private let checks = [
    "users", "modes", "control", "settings", "queues", "disk", "clamd", "signatures", "limits",
    "room", "apparmor", "broker", "services", "ports", "logs", "relay", "certificate", "filters",
]

@Test func `every check speaks, and the last line says how many problems there are`() throws {
    let patient = try Patient()
    let outcome = try patient.instance.qhpsictl(["doctor"])
    #expect(outcome.code == 1)
    for check in checks { #expect(outcome.output.contains("\n" + check + " "), "\(check)") }
    // No clamd answers here, and it cannot say how old its signatures are.
    #expect(
        outcome.output.split(separator: "\n").last?.hasPrefix("doctor: 1 problem, ") == true,
        "\(outcome.output)")
}

@Test func `programs get the findings as JSON, with why and what to do`() throws {
    let patient = try Patient()
    try patient.change("echo x >etc/qhpsi/control/databytes")
    let outcome = try patient.instance.qhpsictl([
        "doctor", "--only", "control", "--only", "users", "--json",
    ])
    #expect(outcome.code == 1)
    let read = """
        import json, sys
        r = json.load(sys.stdin)
        print(r['exit'], r['problems'], r['unchecked'], r['summary'])
        for f in r['findings']:
            print(f['check'], f['result'], bool(f['why']), f['repair'] is not None)
        """
    var python = Command("/usr/bin/python3.11", ["-c", read])
    python.streams = [.input(outcome.outputs[1]), .capture, .capture]
    #expect(
        try python.run().output == """
            1 1 0 doctor: 1 problem, 1 well
            users well False False
            control problem True True

            """)
}

@Test func `an unknown check is a wrong argument`() throws {
    let patient = try Patient()
    let outcome = try patient.instance.qhpsictl(["doctor", "--only", "weather"])
    #expect(outcome.code == 100 && outcome.errors.contains("There is no check weather."))
}

@Test(arguments: [
    "etc/passwd", "etc/group", "etc/qhpsi/ids", "etc/qhpsi/control/me",
    "etc/qhpsi/control/rcpthosts", "etc/qhpsi/control/databytes", "etc/clamav/clamd.conf",
    "etc/qhpsi/defaultqueue/QHPSI", "etc/qhpsi/defaultqueue/QUEUE_COUNT",
    "etc/qhpsi/defaultqueue/MIN_FREE", "etc/service/qmail-smtpd.25/variables/PORT",
    "etc/service/qmail-smtpd.25/variables/DATABYTES", "etc/qhpsi/tcp/tcp.smtp.cdb",
    "usr/share/qhpsi/modes", "var/lib/dpkg/statoverride", "proc/net/tcp", "proc/9/status",
    "var/spool/qhpsi/queue1/conf-split", "etc/qhpsi/control/servercert.pem",
])
func `no content of a file ends the doctor early or reaches the terminal raw`(path: String) throws {
    let patient = try Patient()
    try patient.addService("qmail-smtpd.25", ["QHPSI": "/usr/bin/clamdscan %s"])
    try patient.change(
        "mkdir -p etc/clamav usr/share/qhpsi var/lib/dpkg proc/net proc/9 && echo clamd >proc/9/comm"
    )
    for content in [
        "head -c 5000 /dev/urandom", "printf '\\033[2J\\0\\377\\n'", "echo 99999999999999999999999",
        "echo -9223372036854775808", "printf ': : : :\\n::::\\n   \\n'", "true",
    ] {
        try patient.change("\(content) >\(path)")
        let outcome = try patient.instance.qhpsictl(["doctor"])
        #expect(outcome.code == 1 || outcome.code == 111, "\(content) \(outcome)")
        #expect(outcome.output.contains("\ndoctor: "), "\(content) \(outcome)")
        #expect(!outcome.outputs[1].contains { $0 < 32 && $0 != 10 }, "\(content)")
    }
}
