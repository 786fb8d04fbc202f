import ByteText
import DotQmail
import LocalUsers
import Posix

/// The user's home folder, which is the working folder, and his .qmail files in it.
enum HomeFolder {
    /// An instruction, and where it stands.
    struct Step {
        let instruction: DotQmail.Instruction
        let line: Int
        /// The file, for words about it.
        let file: [UInt8]

        /// As in `line 2 of .qmail`.
        var place: [UInt8] {
            [UInt8]("line ") + [UInt8](decimal: line) + [UInt8](" of ") + file
        }
    }

    /// What is to be done with a message.
    struct Orders {
        var steps: [Step]
        /// Whether only addresses are wanted: it is a mailing list.
        let isList: Bool
        /// The file, for words about it.
        let name: [UInt8]
        /// Where in the extension that begins for which the file's `default` stands.
        let defaultStart: Int?
        /// Words for the log about what was left out, a line each.
        var doubts: [[UInt8]] = []
    }

    /// Where the default delivery is written.
    private static let fallbackName = [UInt8]("control/defaultdelivery")

    /// Enter it, if mail may be delivered now.
    ///
    /// - Returns: Whether its owner is editing: then only what would be done may be said.
    static func enter(_ path: [UInt8]) throws(DeliveryFailure) -> Bool {
        let status: FileStatus
        do throws(Errno) {
            try Files.changeDirectory(path)
            status = try FileStatus(following: [UInt8(ascii: ".")])
        } catch {
            throw DeliveryFailure(unable: "switch to ", path, error)
        }
        if status.permissions & 0o002 != 0 {
            throw DeliveryFailure(
                .temporary, "The home folder can be written by everybody. (#4.7.0)")
        }
        return status.permissions & 0o1000 != 0
    }

    /// The orders of the first of an address's .qmail files that is there, or of the user's .forward.
    ///
    /// - Parameters:
    ///   - address: Whose.
    ///   - fallback: What is done without a .qmail, or with an empty file.
    ///   - isFilter: Whether a command only applies rules; a .forward is in place of the fallback but for those.
    /// - Returns: The orders.
    /// - Throws: When there is no such mailbox, or a file that must not count.
    static func orders(
        _ address: DeliveryAddress, otherwise fallback: [UInt8], isFilter: ([UInt8]) -> Bool
    ) throws(DeliveryFailure) -> Orders {
        for file in QmailFileName.candidates(dash: address.dash, ext: address.ext) {
            guard let (text, isExecutable) = try contents(file.name) else { continue }
            return try orders(
                text.isEmpty ? fallback : text, isList: isExecutable,
                name: text.isEmpty ? fallbackName : file.name, file.defaultStart)
        }
        if !address.dash.isEmpty {
            throw DeliveryFailure(.permanent, "Sorry, no mailbox here by that name. (#5.1.1)")
        }
        var orders = try orders(fallback, isList: false, name: fallbackName, nil)
        if let file = try ForwardFile(for: address) {
            let filters = orders.steps.prefix {
                if case .program(let command) = $0.instruction { isFilter(command) } else { false }
            }
            let rest = file.keepsCopy ? orders.steps[filters.endIndex...] : []
            orders.steps = Array(filters) + file.steps + Array(rest)
            orders.doubts = file.doubts
        }
        return orders
    }

    /// The orders of an alias, which are the fallback; no file counts.
    static func orders(ofAlias fallback: [UInt8]) throws(DeliveryFailure) -> Orders {
        try orders(fallback, isList: false, name: [UInt8]("the delivery of aliases"), 0)
    }

    private static func orders(
        _ text: [UInt8], isList: Bool, name: [UInt8], _ defaultStart: Int?
    ) throws(DeliveryFailure) -> Orders {
        if text.isEmpty {
            throw DeliveryFailure(.temporary, "There is no default delivery. (#4.3.5)")
        }
        do throws(DotQmail.Flaw) {
            let parsed = try DotQmail(text)
            var steps: [Step] = []
            for (i, instruction) in parsed.instructions.enumerated() {
                steps.append(Step(instruction: instruction, line: parsed.lines[i], file: name))
            }
            return Orders(
                steps: steps, isList: isList || parsed.isList, name: name,
                defaultStart: defaultStart)
        } catch {
            throw flaw(name, error.text)
        }
    }

    /// Whether there is a file for the extension with something behind it.
    static func has(
        _ end: StaticString, for address: DeliveryAddress
    ) throws(DeliveryFailure) -> Bool {
        let name = QmailFileName.name(dash: address.dash, ext: address.ext, then: end)
        do throws(Errno) {
            _ = try FileStatus(following: name)
            return true
        } catch {
            if error.saysThereIsNone { return false }
            throw DeliveryFailure(unable: "look at ", name, error)
        }
    }

    /// A .qmail file's text and whether its owner may execute it; nil when there is none.
    private static func contents(
        _ name: [UInt8]
    ) throws(DeliveryFailure) -> (text: [UInt8], isExecutable: Bool)? {
        let text: [UInt8]
        let status: FileStatus
        do throws(Errno) {
            let file = try FileDescriptor.open(name, .readNonBlocking)
            status = try file.status()
            if status.kind != .file { return nil }
            text = try file.readToEnd(limit: DotQmail.sizeLimit)
        } catch {
            if error.saysThereIsNone { return nil }
            throw DeliveryFailure(unable: "read ", name, error)
        }
        if status.permissions & 0o002 != 0 { throw flaw(name, [UInt8]("everybody can write it")) }
        return (text, status.permissions & 0o100 != 0)
    }

    /// A file that its owner has to mend.
    static func flaw(_ name: [UInt8], _ words: [UInt8]) -> DeliveryFailure {
        let text = [UInt8]("The file ") + name + [UInt8](" does not count: ") + words
        return DeliveryFailure(.temporary, words: text + [UInt8](". (#4.7.0)"))
    }
}

extension Errno {
    /// Whether no file can have that name.
    fileprivate var saysThereIsNone: Bool {
        self == .noSuchFile || self == .notDirectory || self == .nameTooLong || self == .noDevice
    }
}
