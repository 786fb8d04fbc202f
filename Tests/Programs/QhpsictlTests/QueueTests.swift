import Testbed
import Testing

@Test func `a queue with mail in it is well`() throws {
    let patient = try Patient()
    try patient.expectWell("queues", "queue1 is right")
    try patient.expectWell("disk", "inodes left")
}

@Test(arguments: [
    ("chmod 777 var/spool/qhpsi/queue1/mess", "queue1: queue-fix: set mode of ", "queue-fix -v "),
    ("rm var/spool/qhpsi/queue1/lock/trigger", "make ", "queue-fix -v "),
    ("echo x >var/spool/qhpsi/queue1/conf-split", "conf-split", "queue-fix -v "),
    ("touch var/spool/qhpsi/queue1/mess/0/12345", "rename ", "queue-fix -v "),
    ("rm -r var/spool/qhpsi/queue1", "there is no queue ", "queue-fix "),
    ("rm -r var/spool/qhpsi", "there is no queue ", "queue-fix "),
    (
        "echo 3 >etc/qhpsi/defaultqueue/QUEUE_COUNT", "queue3, which QUEUE_COUNT counts",
        "queue-fix "
    ),
])
func `a broken or missing queue is found`(change: String, words: String, repair: String) throws {
    let patient = try Patient()
    try patient.change(change)
    try patient.expectProblem("queues", words, repair: repair)
}

@Test func `without queue-fix a queue cannot be checked`() throws {
    let patient = try Patient()
    try patient.change("rm usr/sbin/queue-fix")
    let outcome = try patient.examine("queues")
    #expect(outcome.code == 111 && outcome.output.contains("unchecked"))
}

@Test func `a disk that is fuller than MIN_FREE allows is found`() throws {
    let patient = try Patient()
    try patient.change("echo 900000000000000 >etc/qhpsi/defaultqueue/MIN_FREE")
    try patient.expectProblem("disk", "left on its disk, less than", repair: "df ")
}

@Test func `a disk that has no inodes left is found`() throws {
    let patient = try Patient()
    let line =
        "mount -t tmpfs -o size=300M,nr_inodes=20 none '\(patient.root)/var/spool/qhpsi' && mkdir '\(patient.root)/var/spool/qhpsi/queue1' && QHPSI_ROOT='\(patient.root)' exec '\(patient.root)/usr/sbin/qhpsictl' doctor --only disk"
    let outcome = try Command("/usr/bin/unshare", ["--mount", "/bin/sh", "-c", line]).run()
    #expect(outcome.code == 1)
    #expect(outcome.output.contains("inodes left on its disk"), "\(outcome)")
}
