import ByteText
import ConstantDatabases
import Posix

// What a user's .qmail files say about who is there.
extension DeliveryUser {
    private static let sizeLimit = 1 << 20

    /// Whether mail for the address is not certain to come back, as far as the .qmail file for it can tell.
    ///
    /// Without a dash there is no need of a file. Where the file has only lines of fastforward(1), their databases
    /// know whom there is; a file with anything else takes all, as does one that may not be read.
    ///
    /// - Parameters:
    ///   - local: The address' local part, of which the extension is the end.
    ///   - host: Its domain.
    /// - Returns: False when it would come back.
    /// - Throws: When the file or a database cannot be read.
    package func takes(local: [UInt8], host: [UInt8]) throws(UnreadableFile) -> Bool {
        if user.identifier == 0 || ext.contains(0) { return false }
        if dash.isEmpty, ext.isEmpty { return true }
        for file in QmailFileName.candidates(dash: dash, ext: ext) {
            let path = user.home + [UInt8(ascii: "/")] + file.name
            let text: [UInt8]?
            do throws(Errno) { text = try Self.contents(path) } catch {
                // Who may not look cannot say what is there.
                if error == .accessDenied { return true }
                throw UnreadableFile(path, error)
            }
            guard let text else { continue }
            guard let calls = Self.calls(text) else { return true }
            let rest = file.defaultStart.map { Array(ext.dropFirst($0)) }
            return try takes(calls, local: local, default: rest, host: host)
        }
        // Then it is the default delivery that counts.
        return dash.isEmpty
    }

    /// Go through the lines as qmail-local(8) does.
    private func takes(
        _ calls: [FastforwardCall], local: [UInt8], default rest: [UInt8]?, host: [UInt8]
    ) throws(UnreadableFile) -> Bool {
        for call in calls {
            let name = call.usesDefault ? rest : local
            // A call that has nothing to look up fails for now, and one that only talks takes all.
            guard let name, !call.isDry else { return true }
            let isThere = try contains(name, host, call.database)
            if isThere || !call.passes { return isThere }
        }
        return true
    }

    private func contains(
        _ local: [UInt8], _ host: [UInt8], _ path: [UInt8]
    ) throws(UnreadableFile) -> Bool {
        let isAbsolute = path.first == UInt8(ascii: "/")
        let path = isAbsolute ? path : user.home + [UInt8(ascii: "/")] + path
        do throws(Errno) {
            let database = try ConstantDatabase(path: path)
            for name in FastforwardCall.names(local: local, host: host) {
                if try database.contains(name[...]) { return true }
            }
            return false
        } catch {
            throw UnreadableFile(path, error)
        }
    }

    /// The calls that a file consists of; nil when there is something else in it, or nothing.
    private static func calls(_ text: [UInt8]) -> [FastforwardCall]? {
        var calls: [FastforwardCall] = []
        for line in text.lines where !line.trimmed.isEmpty && line.first != UInt8(ascii: "#") {
            guard let call = FastforwardCall(line: line) else { return nil }
            calls.append(call)
        }
        return calls.isEmpty ? nil : calls
    }

    /// The text of a .qmail file; nil when there is none.
    private static func contents(_ path: [UInt8]) throws(Errno) -> [UInt8]? {
        do throws(Errno) {
            let file = try FileDescriptor.open(path, .readNonBlocking)
            if try file.status().kind != .file { return nil }
            return try file.readToEnd(limit: sizeLimit)
        } catch {
            switch error {
            case .noSuchFile, .notDirectory, .nameTooLong, .noDevice: return nil
            default: throw error
            }
        }
    }
}
