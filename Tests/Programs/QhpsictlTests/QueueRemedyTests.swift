import Posix
import Testbed
import Testing

/// What svc(8) and svstat(8) do to the process that holds the queues' locks, as qmail-send does until it has ended.
private let supervise = [
    "svc": """
    case $1 in
    -d) (sleep 1; kill $(cat sender.pid); echo down >sender.state) >/dev/null 2>&1 & ;;
    -u) grep -q down sender.state && echo up again >sender.state ;;
    -t) echo up again >sender.state ;;
    esac
    """,
    "svstat": "echo \"$1: $(cat sender.state) (pid 12) 9 seconds\"",
]

@Test(arguments: [
    ("chmod 777 var/spool/qhpsi/queue1/mess", "set mode of "),
    ("touch var/spool/qhpsi/queue1/mess/0/12345", "rename "),
    (
        "cd var/spool/qhpsi/queue1/mess; f=$(echo */*); mv $f $(((${f%/*} + 1) % 7))/; cd -",
        "queue1: queue-fix: "
    ),
    ("echo x >var/spool/qhpsi/queue2/conf-split", "conf-split"),
    ("touch var/spool/qhpsi/queue1/todo/3/10", "has no message"),
    ("touch var/spool/qhpsi/queue1/mess/3/note.txt", "is not a message"),
    ("rm -r var/spool/qhpsi/queue2", "there is no queue "),
])
func `what is to be typed about a queue helps while qmail-send works in it`(
    breaking: String, words: String
) throws {
    let patient = try Patient()
    let fifo = try patient.addRunningService("qmail-send", process: 12)
    try patient.change(
        """
        echo 2 >etc/qhpsi/defaultqueue/QUEUE_COUNT; mkdir -p var/lib/qhpsi
        QHPSI_ROOT=$PWD usr/sbin/queue-fix -s 7 $PWD/var/spool/qhpsi/queue2
        echo message >var/spool/qhpsi/queue1/mess/0/1; echo Fa@b >var/spool/qhpsi/queue1/todo/0/1
        QHPSI_ROOT=$PWD usr/sbin/queue-fix $PWD/var/spool/qhpsi/queue1
        bash -c 'exec 7<>var/spool/qhpsi/queue1/lock/sendmutex 8<>var/spool/qhpsi/queue2/lock/sendmutex; flock 7; flock 8; exec sleep 60' >/dev/null 2>&1 &
        echo $! >sender.pid; echo up >sender.state; sleep 0.3
        """)
    try patient.expectWell("queues")
    try patient.expectCure(
        of: Ailment(check: "queues", breaking: breaking, words: words, others: supervise))
    // It was started again, once for each queue that was mended.
    try patient.change("grep -x 'up again' sender.state")
    try patient.change("kill $(cat sender.pid) 2>/dev/null; true")
    try fifo.close()
}

@Test func `where nothing supervises qmail-send only queue-fix is to be typed`() throws {
    let patient = try Patient()
    try patient.change("rm var/spool/qhpsi/queue1/lock/trigger")
    let said = try patient.examine("queues").output
    #expect(said.contains("do:  queue-fix -v ") && !said.contains("svc"), "\(said)")
    try patient.typeRemedies("queues", [:])
    try patient.expectWell("queues")
}
