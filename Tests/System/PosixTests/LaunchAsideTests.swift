import Posix
import Testbed
import Testing

/// Children that start beside their parent, in the parent's memory until they have their program.
struct LaunchAsideTests {
    private func launch(_ words: String, output: Int32 = 1) -> Launch {
        var environment = Environment()
        environment.add("A", Array("b=c".utf8))
        environment.add("EMPTY", [])
        return Launch(
            Array("/bin/sh".utf8), arguments: ["sh", "-c", words].map { Array($0.utf8) },
            environment: environment, descriptors: [-1, output, 2])
    }

    @Test func `it has its arguments, variables, folder, group and descriptors`() throws {
        let pipe = try Pipe()
        var launch = launch(
            "echo $0.$A.${EMPTY-unset}; pwd; ps -o pgid= -p $$ | grep -qx \" *$$\" && echo leads; ls /proc/self/fd",
            output: pipe.writing.rawValue)
        launch.environment.add("PATH", Array("/usr/bin:/bin".utf8))
        launch.directory = Array("/".utf8)
        launch.newGroup = true
        let child = try launch.startAside()
        let reading = pipe.keepReading()
        let output = String(decoding: try reading.readToEnd(limit: 1000), as: UTF8.self)
        #expect(output == "sh.b=c.\n/\nleads\n0\n1\n2\n")  // 0 is the folder that ls reads.
        #expect(try child.wait() == .exited(0))
        #expect(child.reasonOfNoStart == nil)
    }

    @Test func `a program that cannot be exec'd is a child with code 111 and a reason`() throws {
        var launch = launch("")
        for (path, reason) in [
            ("/nonexistent/program", Errno.noSuchFile), ("/etc/passwd", .accessDenied),
        ] {
            launch.path = Array(path.utf8)
            let child = try launch.startAside()
            #expect(try child.wait() == .exited(111))
            #expect(child.reasonOfNoStart == reason)
            #expect(child.reasonOfNoStart == nil, "it is asked once")
        }
        launch.path = Array("/bin/sh".utf8)
        launch.directory = Array("/nonexistent".utf8)
        let child = try launch.startAside()
        #expect(try child.wait() == .exited(111))
        #expect(child.reasonOfNoStart == .noSuchFile)
    }

    @Test
    func `hundreds at once have each their own texts, and failures are those of their own child`()
        throws
    {
        var children: [(Child, Int32)] = []
        for i in 0..<400 {
            var launch = launch("exit $CODE")
            launch.environment.add("CODE", Array(String(i % 100).utf8))
            launch.environment.add("PADDING", [UInt8](repeating: 65, count: i * 10))
            let fails = i % 7 == 0
            if fails { launch.path = Array("/nonexistent/program".utf8) }
            do throws(Errno) {
                children.append((try launch.startAside(), fails ? 111 : Int32(i % 100)))
            } catch {
                // When too many have not left yet, this one is waited for, and its failure is told at once.
                #expect(fails && error == .noSuchFile)
            }
        }
        for (child, code) in children {
            #expect(try child.wait() == .exited(code))
            #expect(child.reasonOfNoStart == (code == 111 ? .noSuchFile : nil))
        }
    }

    @Test
    func `a child of another user has his ids and no other group, and his rights to the folder`()
        throws
    {
        try #require(Process.effectiveUser == 0, "it needs root")
        for aside in [true, false] {
            let pipe = try Pipe()
            var launch = launch(
                "grep -E '^(Uid|Gid|Groups)' /proc/self/status", output: pipe.writing.rawValue)
            launch.environment.add("PATH", Array("/usr/bin:/bin".utf8))
            launch.user = ChildUser(identifier: 64998, group: 64999)
            let child = aside ? try launch.startAside() : try launch.start()
            let reading = pipe.keepReading()
            let output = String(decoding: try reading.readToEnd(limit: 1000), as: UTF8.self)
            let words = output.split { $0 == "\n" || $0 == "\t" || $0 == " " }.joined(
                separator: " ")
            #expect(
                words
                    == "Uid: 64998 64998 64998 64998 Gid: 64999 64999 64999 64999 Groups:")
            #expect(try child.wait() == .exited(0))
        }
        #expect(Process.effectiveUser == 0, "the parent stays who it is")
        let folder = Array("/tmp/launch-aside.".utf8) + uniqueName()
        try Files.makeDirectory(folder, permissions: 0o700)
        defer { _ = try? shell("rmdir '\(String(decoding: folder, as: UTF8.self))'") }
        var launch = launch("exit 0")
        launch.user = ChildUser(identifier: 64998, group: 64999)
        launch.directory = folder
        let child = try launch.startAside()
        #expect(try child.wait() == .exited(111))
        #expect(child.reasonOfNoStart == .accessDenied)
    }

    @Test func `nobody becomes root so`() throws {
        var launch = launch("exit 0")
        launch.user = ChildUser(identifier: 0, group: 64999)
        let child = try launch.startAside()
        #expect(try child.wait() == .exited(111))
        #expect(child.reasonOfNoStart == .notPermitted)
        #expect(throws: Errno.notPermitted) { try launch.start() }
    }
}
