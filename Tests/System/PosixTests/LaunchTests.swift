import Posix
import Testbed
import Testing

@Test func `a program that does not exist is an error of start and leaves no child`() {
    #expect(throws: Errno.noSuchFile) { try Command("/nonexistent/program").start() }
}

@Test func `a child has the descriptors it was given and no others`() throws {
    let outcome = try Command("/bin/ls", ["/proc/self/fd"]).run()
    #expect(outcome.code == 0)
    #expect(outcome.output == "0\n1\n2\n3\n")  // 3 is the folder that ls reads.
}

@Test func `a limit that is tighter than what is asked for stays and does no harm`() throws {
    let outcome = try Command("/usr/bin/prlimit", ["--fsize=4096", "/bin/sh", "-c", "ulimit -f"])
        .run()
    #expect(outcome.output == "8\n")
    var launch = Launch(
        Array("/bin/true".utf8), arguments: [Array("true".utf8)], environment: Environment(),
        descriptors: [-1])
    launch.fileSize = 1 << 50
    launch.addressSpace = 1 << 50
    #expect(try launch.start().wait() == .exited(0))
}

@Test func `killing the group ends grandchildren too`() throws {
    let running = try Command("/bin/sh", ["-c", "sleep 300 & echo $!; wait"]).start()
    while try running.output().isEmpty { Clock.sleep(milliseconds: 5) }
    let grandchild = try String(decoding: running.output(), as: UTF8.self).dropLast()
    running.child.killGroup()
    let outcome = try running.wait()
    #expect(outcome.ending == .killed(signal: 9))
    Clock.sleep(milliseconds: 50)
    let state = try Command("/bin/sh", ["-c", "grep -s State /proc/\(grandchild)/status"]).run()
    #expect(!state.output.contains("S (sleeping)"))
}
