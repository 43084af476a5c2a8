namespace Quarters.Chroots.Repositories;

/// <summary>pacman refused: a package that nobody provides, a conflict, a file that does not match its database.
/// The build that wanted it fails at the stage <c>dependencies</c> with this message.</summary>
internal sealed class PacmanException(string message) : Exception(message);

/// <summary>Package files could not be had, or were not what the database says: another try may work.</summary>
internal sealed class PackagesUnavailableException(string message) : Exception(message);
