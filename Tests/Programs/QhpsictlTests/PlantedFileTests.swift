import Testbed
import Testing

@Test func `FIFOs, devices and folders in place of files are not waited for`() throws {
    // Each is what a check of the doctor opens by name.
    let databases = ["control/recipients.cdb", "control/morercpthosts.cdb", "aliases.cdb"]
    let texts = [
        "control/recipients", "control/rcpthosts", "control/defaultdelivery", "control/databytes",
        "users/assign", "users/cdb", "tcp/tcp.smtp", "tcp/tcp.smtp.cdb", "defaultqueue/QHPSI",
    ]
    let patient = try Patient()
    for plant in ["mkfifo", "mkdir", "ln -s /dev/zero"] {
        try patient.change(
            """
            rm -rf etc/aliases home/alias/.qmail-default && mkdir -p etc/qhpsi/users
            for place in etc/aliases home/alias/.qmail-default; do \(plant) $place; done
            cd etc/qhpsi
            for place in \((databases + texts).joined(separator: " ")); do rm -rf $place; \(plant) $place; done
            """)
        let outcome = try patient.instance.qhpsictl(["doctor"])
        #expect(outcome.code == 1 && outcome.errors.isEmpty, "\(plant): \(outcome.errors)")
        for name in databases.prefix(2) {
            #expect(outcome.output.contains("\(name): expected a constant database"), "\(plant)")
        }
    }
}
