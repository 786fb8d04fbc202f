import ByteText
import ControlFiles
import LocalUsers
import Posix
import Testbed
import Testing

/// A folder of control files and a file of users, removed with its owner.
private final class Machine {
    let root = "/tmp/control-image." + String(decoding: uniqueName(), as: UTF8.self)
    var folder: [UInt8] { Array("\(root)/control".utf8) }
    var users: [UInt8] { Array("\(root)/passwd".utf8) }

    init() throws { try shell("mkdir -p '\(root)/control' '\(root)/elsewhere'") }

    deinit { _ = try? shell("rm -rf '\(root)'") }  // What is left harms no other test.

    func write(_ name: String, _ text: [UInt8]) throws(Errno) {
        try FileDescriptor.open(Array("\(root)/\(name)".utf8), .replace).write(text)
    }

    /// What tells of all that is there now, once nothing is too new for that.
    func source() -> CurrentControlImage {
        Clock.sleep(milliseconds: 3100)
        return CurrentControlImage(
            directory: folder,
            others: [.init(path: users, lines: PasswordFile.sortedLines)])
    }

    /// The control files as a session with the image sees them.
    func control(_ image: Int32?) -> Control {
        var environment = Environment()
        if let image { environment.set("CONTROLIMAGE", [UInt8](decimal: image)) }
        return Control(directory: folder, image: ControlImage(environment, of: folder))
    }

    /// The control files as they are.
    var plain: Control { Control(directory: folder) }
}

private let alphabet = Array("aAbB.@-#: \t\r+\u{e9}\0".utf8)

private func word(_ most: Int, _ random: inout some RandomNumberGenerator) -> [UInt8] {
    (0..<Int.random(in: 0...most, using: &random)).map { _ in
        alphabet.randomElement(using: &random) ?? 97
    }
}

private func text(_ lines: Int, _ random: inout some RandomNumberGenerator) -> [UInt8] {
    var text: [UInt8] = []
    for _ in 0..<lines { text += word(6, &random) + [10] }
    if Bool.random(using: &random) { text += word(6, &random) }
    return text
}

/// What a session did before there were lists: all lines, and each compared.
private func contains(_ lines: [[UInt8]], _ entry: [UInt8]) -> Bool {
    lines.contains { $0.lowercased == entry.lowercased }
}

@Test func `a list knows the lines that all lines know, in thousands of files`() throws {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<3000 {
        let text = text(Int.random(in: 0...12, using: &random), &random)
        let lines = text.lines.map { $0.trimmed }.filter { !$0.isEmpty && $0.first != 35 }
        let list = ControlList(text)
        let sorted = SortedLines.bytes(of: lines.map { $0.lowercased })
        for entry in lines + (0..<20).map({ _ in word(6, &random).filter { $0 != 10 } }) {
            let wanted = contains(lines, entry)
            #expect(list.contains(entry[...]) == wanted, "\(text) \(entry)")
            let found = SortedLines.first(entry.lowercased + [10], in: sorted.span.bytes)
            #expect((found != nil) == wanted, "\(text) \(entry)")
        }
    }
}

@Test func `sorted users are those that the file has, in thousands of files`() throws {
    var random = SystemRandomNumberGenerator()
    let names = ["a", "ab", "b", "", "a-b", "B", "a:", "root"].map { Array($0.utf8) }
    for _ in 0..<3000 {
        var text: [UInt8] = []
        for _ in 0..<Int.random(in: 0...10, using: &random) {
            let name = names.randomElement(using: &random) ?? []
            let end = [":x:1:2::/h:/s", ":x:3:4:c:/i:", ":x:y:2::/h:/s", ":x:1:2::h:/s", "", ":"]
            text += name + Array((end.randomElement(using: &random) ?? "").utf8) + [10]
        }
        if Bool.random(using: &random), !text.isEmpty { text.removeLast() }
        let plain = PasswordFile(text)
        let sorted = PasswordFile(sorting: text)
        for name in names {
            #expect(plain.user(named: name) == sorted.user(named: name), "\(text)")
        }
    }
}

/// What both say of everything that a session may ask.
private func expectSame(_ machine: Machine, _ image: Int32?, _ entries: [[UInt8]], _ deed: String) {
    let session = machine.control(image)
    let names: [StaticString] = ["me", "rcpthosts", "badmailfrom", "locals", "link", "gone", "dir"]
    for name in names {
        let plain = machine.plain
        #expect(session.has(name) == plain.has(name), "\(name) after \(deed)")
        var lists: [ControlList?] = []
        var failures = 0
        for control in [session, plain] {
            do throws(ControlFailure) { lists.append(try control.list(name)) } catch {
                failures += 1
            }
        }
        #expect(failures == 0 || failures == 2, "\(name) after \(deed)")
        guard lists.count == 2 else { continue }
        #expect((lists[0] == nil) == (lists[1] == nil), "\(name) after \(deed)")
        for entry in entries {
            #expect(
                lists[0]?.contains(entry[...]) == lists[1]?.contains(entry[...]),
                "\(name) \(entry) after \(deed)")
        }
        do throws(ControlFailure) {
            #expect(try session.line(name) == plain.line(name), "\(name) after \(deed)")
            #expect(try session.lines(name) == plain.lines(name), "\(name) after \(deed)")
        } catch {
            // Neither can.
        }
    }
    let lines = session.image?.lines(at: machine.users)
    do throws(Errno) {
        let plain = PasswordFile(try Files.contents(machine.users))
        let users = lines.map { PasswordFile($0) } ?? plain
        for i in 0..<20 {
            let name = Array("u\(i)".utf8)
            #expect(users.user(named: name) == plain.user(named: name), "u\(i) after \(deed)")
        }
    } catch {
        #expect(lines == nil, "after \(deed)")
    }
}

/// A change of one thing, as an admin, a script or an editor makes it.
private func change(_ machine: Machine, _ random: inout some RandomNumberGenerator) throws -> String
{
    let name = ["me", "rcpthosts", "badmailfrom", "locals"].randomElement(using: &random) ?? "me"
    let lines = [1, 3, 2000].randomElement(using: &random) ?? 1
    switch Int.random(in: 0..<8, using: &random) {
    case 0:
        try machine.write("control/\(name)", text(lines, &random))
        return "\(name) written in place"
    case 1:
        try machine.write("control/new", text(lines, &random))
        try shell("cd '\(machine.root)/control' && mv new \(name)")
        return "\(name) replaced"
    case 2:
        try shell("rm -f '\(machine.root)/control/\(name)'")
        return "\(name) removed"
    case 3:
        // The same size, and a time of before.
        try shell(
            "cd '\(machine.root)/control' && [ ! -s \(name) ] || { touch -r \(name) ../time; printf z | dd of=\(name) conv=notrunc status=none; touch -r ../time \(name); }"
        )
        return "one byte of \(name) written over"
    case 4:
        try machine.write("elsewhere/\(name)", text(lines, &random))
        try shell("cd '\(machine.root)/control' && ln -sfn ../elsewhere/\(name) link")
        return "a link to another file"
    case 5:
        try machine.write("elsewhere/\(name)", text(lines, &random))
        return "a file elsewhere, of a link perhaps"
    case 6:
        try machine.write(
            "passwd",
            Array(
                (0..<20).map { "u\($0):x:\(Int.random(in: 1...9, using: &random)):2::/h:/s\n" }
                    .joined().utf8))
        return "passwd"
    default:
        try shell("cd '\(machine.root)/control' && { rmdir gone 2>/dev/null || mkdir gone; }")
        return "a folder"
    }
}

@Test func `whatever is changed counts at once, with an image of before`() throws {
    var random = SystemRandomNumberGenerator()
    let entries = (0..<60).map { _ in word(4, &random).filter { $0 != 10 } }
    for _ in 0..<4 {
        let machine = try Machine()
        for name in ["me", "rcpthosts", "badmailfrom", "locals"] {
            try machine.write("control/\(name)", text(name == "me" ? 1 : 2000, &random))
        }
        try machine.write("passwd", Array((0..<20).map { "u\($0):x:1:2::/h:/s\n" }.joined().utf8))
        try shell(
            "cd '\(machine.root)/control' && mkdir dir && ln -s me link && ln -s nothing a.pem")
        let source = machine.source()
        let image = try #require(source.descriptor())
        #expect(machine.control(image).image != nil)
        #expect(machine.control(image).image?.lines(at: machine.users) != nil)
        expectSame(machine, image, entries, "nothing")
        for _ in 0..<40 {
            let deed = try change(machine, &random)
            expectSame(machine, image, entries, deed)
        }
        // What is new has its own image when it is some seconds old.
        Clock.sleep(milliseconds: 3100)
        let next = try #require(source.descriptor())
        #expect(machine.control(next).image != nil)
        expectSame(machine, next, entries, "a while")
    }
}

@Test func `what is no image is none`() throws {
    let machine = try Machine()
    try machine.write("control/me", Array("mx\n".utf8))
    let source = machine.source()
    let good = try #require(source.descriptor())
    let kept = try FileDescriptor.open(Array("/proc/self/fd/\(good)".utf8), .read)
    withExtendedLifetime(source) {}
    let bytes = try kept.readToEnd(limit: 1 << 20)
    #expect(machine.control(kept.rawValue).image != nil)
    let unsealed = try FileDescriptor.inMemory()
    try unsealed.write(bytes)
    #expect(machine.control(unsealed.rawValue).image == nil)
    let file = try FileDescriptor.open(machine.folder + Array("/me".utf8), .read)
    #expect(machine.control(file.rawValue).image == nil)
    #expect(machine.control(9999).image == nil)
    // No byte of it can make a reader stumble.
    for i in 0..<min(bytes.count, 400) {
        for value in [0, 1, 0x7F, 0xFF] as [UInt8] {
            var wrong = bytes
            wrong[i] = value
            let memory = try SealedMemory.descriptor(of: wrong)
            let control = machine.control(memory.rawValue)
            _ = control.has("me")
            do throws(ControlFailure) { _ = try control.list("me")?.contains([109, 120]) } catch {}
        }
        let short = try SealedMemory.descriptor(of: Array(bytes[...i]))
        do throws(ControlFailure) { _ = try machine.control(short.rawValue).line("me") } catch {}
    }
}
