import ByteText
import ConnectionRules
import ConstantDatabases
import Posix

/// Whether a client gets a session, and with which variables.
struct Admission {
    /// The decision about one connection.
    enum Verdict {
        case allowed(Environment)
        /// By a rule, or because the client has as many sessions as this already.
        case denied(limit: Int?)
        /// The rules cannot be read.
        case undecided(Errno)
    }

    private let rules: CurrentDatabase?
    private let servesWithoutRules: Bool
    private let addressLimit: Int?
    /// What every session has.
    private let environment: Environment

    init(_ options: ServerOptions, environment: Environment) {
        rules = options.rules.map { CurrentDatabase(path: $0) }
        servesWithoutRules = options.servesWithoutRules
        addressLimit = options.addressLimit
        var environment = environment
        let ofConnection: [StaticString] = [
            "PROTO", "TCPLOCALIP", "TCPLOCALPORT", "TCPLOCALHOST", "TCPREMOTEIP", "TCPREMOTEPORT",
            "TCPREMOTEHOST", "TCPREMOTEINFO",
        ]
        for name in ofConnection { environment.set(name, nil) }
        self.environment = environment
    }

    /// Decide, by the rules as they are now.
    ///
    /// - Parameters:
    ///   - sides: The connection's two ends.
    ///   - names: What is known of them.
    ///   - others: How many sessions the client has.
    /// - Returns: What becomes of it.
    func verdict(_ sides: Sides, _ names: ClientNames, others: Int) -> Verdict {
        var environment = environment
        let isWide = sides.remote.address.width > 32
        environment.add("PROTO", [UInt8](isWide ? "TCP6" : "TCP"))
        environment.add("TCPLOCALIP", sides.local.text)
        environment.add("TCPLOCALPORT", [UInt8](decimal: sides.local.port))
        if let name = names.local { environment.add("TCPLOCALHOST", name) }
        environment.add("TCPREMOTEIP", sides.remote.text)
        environment.add("TCPREMOTEPORT", [UInt8](decimal: sides.remote.port))
        if let name = names.remote { environment.add("TCPREMOTEHOST", name) }
        if let info = names.info { environment.add("TCPREMOTEINFO", info) }
        let decision: Decision?
        do throws(Errno) { decision = try rule(for: sides.remote.text, names) } catch {
            return .undecided(error)
        }
        for step in decision?.steps ?? [] { Self.apply(step, to: &environment) }
        if decision?.isDenied ?? false { return .denied(limit: nil) }
        let limit = environment["MAXPERIP"].flatMap { $0.decimalValue } ?? addressLimit
        if let limit, others >= limit { return .denied(limit: limit) }
        return .allowed(environment)
    }

    private func rule(
        for address: [UInt8], _ names: ClientNames
    ) throws(Errno) -> Decision? {
        guard let rules else { return nil }
        let database: ConstantDatabase
        do throws(Errno) { database = try rules.database() } catch {
            if servesWithoutRules, error == .noSuchFile { return nil }
            throw error
        }
        let found = try Client(address: address, host: names.remote, info: names.info).rule {
            (key) throws(Errno) in
            try database.data(key)
        }
        return found.map { Decision($0.data) }
    }

    private static func apply(_ step: Decision.Step, to environment: inout Environment) {
        switch step {
        case .set(let entry):
            guard let equals = entry.firstIndex(of: UInt8(ascii: "=")) else { return }
            environment.set(Array(entry[..<equals]), Array(entry[(equals + 1)...]))
        case .unset(let name): environment.set(name, nil)
        }
    }
}
