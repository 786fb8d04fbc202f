import AliasFile
import ByteText
import ConstantDatabases
import LocalDelivery
import LocalUsers
import Posix

/// The database that newaliases(1) makes.
struct AliasDatabase {
    private let database: ConstantDatabase
    private let path: [UInt8]

    /// The most bytes of an included file.
    private static let includeLimit = 1 << 20

    init(_ path: [UInt8]) throws(DeliveryFailure) {
        self.path = path
        do throws(Errno) { database = try ConstantDatabase(path: path) } catch {
            throw DeliveryFailure(unable: "read ", path, error)
        }
    }

    /// The alias of an address: `local@host`, or else `local`, or else `@host`.
    func find(
        local: [UInt8], host: [UInt8]
    ) throws(DeliveryFailure) -> (name: [UInt8], targets: [AliasTarget])? {
        let local = local.lowercased
        let domain = [UInt8(ascii: "@")] + host.lowercased
        for name in FastforwardCall.names(local: local, host: host) {
            if let targets = try targets(name) { return (name == domain ? name : local, targets) }
        }
        return nil
    }

    /// Whether there is an alias of this name.
    func has(_ name: [UInt8]) throws(DeliveryFailure) -> Bool { try targets(name) != nil }

    /// Follow aliases of aliases, and read included files.
    func expand(
        _ name: [UInt8], _ targets: [AliasTarget]
    ) throws(DeliveryFailure) -> AliasExpansion {
        var expansion = AliasExpansion()
        var emptyFile: [UInt8]?
        do throws(AliasExpansion.Failure<DeliveryFailure>) {
            try expansion.add(
                name, targets, lookup: { name throws(DeliveryFailure) in try self.targets(name) },
                include: { path throws(DeliveryFailure) in
                    let targets = try Self.included(path)
                    if targets.isEmpty { emptyFile = path }
                    return targets
                })
        } catch {
            switch error {
            case .lookup(let failure): throw failure
            case .tooMany:
                throw DeliveryFailure(.temporary, "The alias has too many addresses. (#4.3.5)")
            }
        }
        if expansion.isEmpty {
            // Its owner may be writing it.
            if let emptyFile { throw Self.unusable(emptyFile, "it has no addresses") }
            throw DeliveryFailure(.permanent, "The aliases only mean one another. (#5.4.6)")
        }
        return expansion
    }

    private func targets(_ name: [UInt8]) throws(DeliveryFailure) -> [AliasTarget]? {
        do throws(Errno) {
            guard let data = try database.data(name) else { return nil }
            guard let targets = AliasTarget.decoded(data) else { throw .invalid }
            return targets
        } catch {
            throw DeliveryFailure(unable: "read ", path, error)
        }
    }

    /// The addresses in a file, some in a line or one in each; they only can be in it.
    private static func included(_ path: [UInt8]) throws(DeliveryFailure) -> [AliasTarget] {
        let text: [UInt8]
        do throws(Errno) { text = try Files.contents(path, limit: includeLimit) } catch {
            throw DeliveryFailure(unable: "read ", path, error)
        }
        var targets: [AliasTarget] = []
        for line in text.lines {
            let content = line.drop { $0.isBlank }
            if content.first == UInt8(ascii: "#") { continue }
            do throws(AliasList.Flaw) { targets += try AliasList.targets(content) } catch {
                throw unusable(path, error.words)
            }
        }
        for target in targets {
            switch target {
            case .address, .final, .discard: continue
            case .program, .include: throw unusable(path, "it has more than addresses")
            }
        }
        return targets
    }

    private static func unusable(_ path: [UInt8], _ words: StaticString) -> DeliveryFailure {
        let text = [UInt8]("The file ") + path + [UInt8](" does not count: ") + [UInt8](words)
        return DeliveryFailure(.temporary, words: text + [UInt8](". (#4.3.5)"))
    }
}
