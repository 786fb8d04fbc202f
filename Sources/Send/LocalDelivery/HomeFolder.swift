import ByteText
import DotQmail
import LocalUsers
import Posix

/// The user's home folder, which is the working folder, and his .qmail files in it.
enum HomeFolder {
    /// What is to be done with a message.
    struct Orders {
        let instructions: [DotQmail.Instruction]
        /// Whether only addresses are wanted: it is a mailing list.
        let isList: Bool
        /// The file, for words about it.
        let name: [UInt8]
        /// Where in the extension that begins for which the file's `default` stands.
        let defaultStart: Int?
    }

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

    /// The orders of the first of an address's .qmail files that is there.
    ///
    /// - Parameters:
    ///   - address: Whose.
    ///   - fallback: What is done without a .qmail, or with an empty file.
    /// - Returns: The orders.
    /// - Throws: When there is no such mailbox, or a file that must not count.
    static func orders(
        _ address: DeliveryAddress, otherwise fallback: [UInt8]
    ) throws(DeliveryFailure) -> Orders {
        for file in QmailFileName.candidates(dash: address.dash, ext: address.ext) {
            guard let (text, isExecutable) = try contents(file.name) else { continue }
            return try orders(text.isEmpty ? fallback : text, isList: isExecutable, file)
        }
        if !address.dash.isEmpty {
            throw DeliveryFailure(.permanent, "Sorry, no mailbox here by that name. (#5.1.1)")
        }
        let file = QmailFileName.candidates(dash: [], ext: [])[0]
        return try orders(fallback, isList: false, file)
    }

    private static func orders(
        _ text: [UInt8], isList: Bool, _ file: QmailFileName
    ) throws(DeliveryFailure) -> Orders {
        if text.isEmpty {
            throw DeliveryFailure(.temporary, "There is no default delivery. (#4.3.5)")
        }
        do throws(DotQmail.Flaw) {
            let parsed = try DotQmail(text)
            return Orders(
                instructions: parsed.instructions, isList: isList || parsed.isList,
                name: file.name, defaultStart: file.defaultStart)
        } catch {
            throw flaw(file.name, error.text)
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
