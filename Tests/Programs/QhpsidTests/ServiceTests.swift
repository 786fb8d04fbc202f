import Posix
import Testbed
import Testing

@Test func `the service says what it waits for, and becomes the broker`() throws {
    let machine = try SetIDRoot()
    try shell(
        """
        for name in run-broker wait-for; do
            cp "\(PrivateInstance.sourceTree)/service/lib/$name" '\(machine.root)/usr/lib/qhpsi/'
        done
        cd '\(machine.root)/etc/qhpsi' && mv ids kept
        """)
    let service = try Command(
        PrivateInstance.sourceTree + "/tools/in-root",
        [machine.root, "/bin/sh", "-c", "exec 2>&1; exec /usr/lib/qhpsi/run-broker"]
    ).start()
    defer { service.stop() }
    let log = { String(decoding: try service.output(1), as: UTF8.self) }
    try wait("the service") {
        try log().contains("waiting: there is no /etc/qhpsi/ids; type: dpkg --configure -a")
    }
    try shell("cd '\(machine.root)/etc/qhpsi' && mv kept ids")
    try wait("the broker") { try log().contains("qhpsid: ready") }
    #expect(
        try shell("stat -c '%u:%g %a' '\(machine.root)/run/qhpsi/qhpsid'") == "64015:64010 660\n")
    let other = try Command(
        PrivateInstance.sourceTree + "/tools/in-root", [machine.root, "/usr/sbin/qhpsid"]
    ).run()
    #expect(other.code == 111)
    #expect(other.errors == "qhpsid: fatal: another qhpsid is running\n")
}

@Test(arguments: [("0", 111), ("1001", 111), ("x", 111), ("-1", 111)])
func `a MAXSCANS that makes no sense is no broker`(value: String, code: Int32) throws {
    let instance = try PrivateInstance()
    var command = instance.command("usr/sbin/qhpsid")
    command.set("MAXSCANS", value)
    let outcome = try command.run()
    #expect(outcome.code == code)
    #expect(outcome.errors.contains("MAXSCANS is malformed"))
    #expect(try instance.command("usr/sbin/qhpsid", ["x"]).run().code == 100)
}
