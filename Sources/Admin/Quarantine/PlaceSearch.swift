import AdminReport
import ByteText
package import ControlFiles
import Filter
import FilterStore
import LocalUsers
import Posix

/// Where quarantined messages lie on a machine.
package struct PlaceSearch: Sendable {
    private let instance: Instance
    /// What could not be looked at, a sentence each.
    package private(set) var failures: [String] = []
    /// Each once.
    package private(set) var places: [QuarantinePlace] = []

    /// Bytes of passwd(5).
    static let passwordLimit = 1 << 28

    /// Look for all of an instance: the maildirs of VIRUSFORWARD's addresses, and in all users' maildirs the folders into
    /// which rules on the scanner's verdict put messages.
    package init(instance: Instance) {
        self.instance = instance
        let users = self.users()
        for address in forwardAddresses() { add(forward: address, users) }
        let folders = self.folders()
        if folders.isEmpty { return }
        for user in users.all where user.identifier != 0 {
            for folder in folders {
                add(user.home + Array("/Maildir/.".utf8) + folder, user, isForwarded: false)
            }
        }
    }

    /// The maildir at a path and the folders of rules in it.
    package init(maildir: [UInt8], instance: Instance) {
        self.instance = instance
        var path = maildir
        while path.count > 1, path.last == UInt8(ascii: "/") { path.removeLast() }
        let users = self.users().file
        let named = [path] + folders().map({ path + Array("/.".utf8) + $0 })
        for (i, folder) in named.enumerated() {
            do throws(Errno) {
                // The group that he has himself, for a folder may have another's.
                let place = try QuarantinePlace(named: folder) {
                    users.user(withID: $0)?.group ?? Self.noGroup
                }
                places.append(place)
            } catch {
                if i == 0 || error == .notPermitted || Self.isLink(folder) { fail(folder, error) }
            }
        }
    }

    /// Debian's nogroup, for a user whom passwd(5) does not know.
    private static let noGroup: UInt32 = 65534

    /// What a folder was not looked at for.
    static func failure(_ place: [UInt8], _ file: [UInt8], _ reason: Errno) -> String {
        let path = file.isEmpty ? place : place + [UInt8(ascii: "/")] + file
        let words =
            switch reason {
            case .notDirectory where isLink(place): "it is a symbolic link"
            case .notPermitted: "it belongs to root"
            case .tooLarge: "it is larger than a message"
            default: String(printable: reason.text)
            }
        return "unable to look into \(String(printable: path)): \(words)"
    }

    private static func isLink(_ path: [UInt8]) -> Bool {
        do throws(Errno) { return try FileStatus(of: path).kind == .link } catch { return false }
    }

    private mutating func fail(_ path: [UInt8], _ reason: Errno) {
        failures.append(Self.failure(path, [], reason))
    }

    /// Add a user's maildir if it is one.
    private mutating func add(_ path: [UInt8], _ user: LocalUser, isForwarded: Bool) {
        if places.contains(where: { $0.path == path }) { return }
        do throws(Errno) {
            places.append(
                try QuarantinePlace(
                    path: path, owner: user.identifier, group: user.group,
                    isForwarded: isForwarded))
        } catch {
            let isAbsent = error == .noSuchFile || error == .notDirectory
            if !isAbsent || Self.isLink(path) { fail(path, error) }
        }
    }

    private mutating func users() -> (all: [LocalUser], file: PasswordFile) {
        let path = instance.path("/etc/passwd")
        var text: [UInt8] = []
        do throws(Errno) {
            text = try Files.contents(path, limit: Self.passwordLimit)
        } catch {
            fail(path, error)
        }
        let all = text.lines.compactMap { line in
            PasswordFile(line).user(named: Array(line.prefix { $0 != UInt8(ascii: ":") }))
        }
        return (all, PasswordFile(text))
    }

    /// The folders that rules on the verdict name.
    private mutating func folders() -> [[UInt8]] {
        var folders: [[UInt8]] = []
        let store = FilterStore(of: instance)
        do throws(FilterStoreFailure) {
            for file in try store.files() {
                for rule in try store.rules(in: file) {
                    guard case .folder(let name) = rule.destination,
                        rule.header.startsIgnoringCase(with: "X-QHPSI"), !folders.contains(name)
                    else { continue }
                    folders.append(name)
                }
            }
        } catch {
            failures.append(String(decoding: error.text, as: UTF8.self))
        }
        return folders
    }

    /// The values of VIRUSFORWARD for local mail and for all services.
    private mutating func forwardAddresses() -> [[UInt8]] {
        var files = [instance.defaultQueue + Array("/VIRUSFORWARD".utf8)]
        let services = instance.path("/etc/service")
        do throws(Errno) {
            for name in try Files.names(in: services) {
                files.append(
                    services + [UInt8(ascii: "/")] + name + Array("/variables/VIRUSFORWARD".utf8))
            }
        } catch {
            if error != .noSuchFile { fail(services, error) }
        }
        var addresses: [[UInt8]] = []
        for file in files {
            do throws(Errno) {
                let address = try Files.contents(file, limit: 4096).lines.first?.trimmed ?? []
                if !address.isEmpty, !addresses.contains(address) { addresses.append(address) }
            } catch {
                if error != .noSuchFile, error != .notDirectory { fail(file, error) }
            }
        }
        return addresses
    }

    /// Add the maildir of an address, if its user is on this machine.
    private mutating func add(
        forward address: [UInt8], _ users: (all: [LocalUser], file: PasswordFile)
    ) {
        let local = Array(address.prefix { $0 != UInt8(ascii: "@") })
        do throws(Errno) {
            guard
                let found = try LocalAddress.find(
                    local, among: users.file, separators: [UInt8(ascii: "-")])
            else { return }
            add(found.user.home + Array("/Maildir".utf8), found.user, isForwarded: true)
        } catch {
            fail(address, error)
        }
    }
}
