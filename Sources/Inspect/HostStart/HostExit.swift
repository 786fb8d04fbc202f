/// How qhpsi-host and qhpsi-plugins end, by their exit code; see qhpsi-host(8).
package enum HostExit: Int32, Error, CaseIterable, Sendable {
    case clean = 0
    case infected = 1
    case notScanned = 2
    /// A plugin failed, or its report could not be written.
    case failed = 3
    case privilege = 50
    case loading = 57
    case symbol = 58
    case exec = 75
    case misconfigured = 87
}
