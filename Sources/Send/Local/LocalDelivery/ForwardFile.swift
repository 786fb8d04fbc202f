import AliasFile
import ByteText
import DotQmail
import Posix

/// A user's .forward, which sendmail's users have in place of a .qmail; see dot-qmail(5).
///
/// What is wrong with it never keeps a message from its user: it gets into his mailbox then, and the log says why.
struct ForwardFile {
    /// What it says to do, but for the user's own mailbox.
    private(set) var steps: [HomeFolder.Step] = []
    /// Whether the message also goes where it would go without the file.
    private(set) var keepsCopy = false
    /// What is not done of it, for the log, a line each.
    private(set) var doubts: [[UInt8]] = []
    private var isDiscarding = false

    private static let name = [UInt8](".forward")
    private static let mostDoubts = 5
    /// The most bytes of what is wrong that are shown.
    private static let quoteLimit = 60

    /// Read it in the working folder, which is the user's home; nil when it is not there, or says nothing.
    ///
    /// - Throws: When it may be read another time.
    init?(for address: DeliveryAddress) throws(DeliveryFailure) {
        let text: [UInt8]
        do throws(Errno) {
            let file = try FileDescriptor.open(Self.name, .readNonBlocking)
            let status = try file.status()
            if status.kind != .file { return nil }
            if status.permissions & 0o002 != 0 {
                leaveOut(nil, "everybody can write it", [])
                return
            }
            if status.size > DotQmail.sizeLimit {
                leaveOut(nil, "it is too long", [])
                return
            }
            text = try file.readToEnd(limit: DotQmail.sizeLimit)
        } catch {
            if error == .noSuchFile || error == .noDevice { return nil }
            if error == .accessDenied || error == .tooManyLinks {
                leaveOut(nil, "it cannot be read", [])
                return
            }
            throw DeliveryFailure(unable: "read ", Self.name, error)
        }
        for (i, line) in text.lines.enumerated() { add(line, number: i + 1, address) }
        if steps.isEmpty, !keepsCopy, !isDiscarding { return nil }
    }

    private mutating func add(_ line: [UInt8], number: Int, _ address: DeliveryAddress) {
        let content = line.drop { $0.isBlank }
        if content.first == UInt8(ascii: "#") { return }
        let (targets, flaws) = AliasList.read(content)
        for flaw in flaws { leaveOut(number, flaw.words, flaw.text) }
        for target in targets {
            switch target {
            case .address(let text), .final(let text):
                if Self.isOwn(text, address) {
                    keepsCopy = true
                } else {
                    add(.forward(text), number)
                }
            case .program(let command): add(.program(command), number)
            case .file(let path): add(DotQmail.Instruction(path: path), number)
            case .discard: isDiscarding = true
            case .include(let path): leaveOut(number, "only addresses, programs and files", path)
            case .flaw(let text): leaveOut(number, "only addresses, programs and files", text)
            }
        }
    }

    private mutating func add(_ instruction: DotQmail.Instruction, _ line: Int) {
        steps.append(HomeFolder.Step(instruction: instruction, line: line, file: Self.name))
    }

    /// Whether it is the user himself.
    private static func isOwn(_ text: [UInt8], _ address: DeliveryAddress) -> Bool {
        // One backslash more than is needed is what a shell or another program's quotes leave.
        let text = Array(text.lowercased.drop { $0 == UInt8(ascii: "\\") })
        let host = [UInt8(ascii: "@")] + address.host.lowercased
        for name in [address.user.lowercased, address.local.lowercased]
        where text == name || text == name + host { return true }
        return false
    }

    /// Do without, and let the message come into the user's mailbox.
    private mutating func leaveOut(_ line: Int?, _ words: StaticString, _ text: [UInt8]) {
        keepsCopy = true
        if doubts.count >= Self.mostDoubts { return }
        var doubt = Self.name
        if let line { doubt += [UInt8](":") + [UInt8](decimal: line) }
        doubt += [UInt8](line == nil ? ": does not count, " : ": left out, ") + [UInt8](words)
        if !text.isEmpty { doubt += [UInt8](": ") + Array(text.prefix(Self.quoteLimit)).singleLine }
        doubts.append(doubt)
    }
}
