using System.Globalization;
using System.Text.Json;

namespace Sankore.Demo;

internal sealed record DemoCategory(
    Guid Id, string Name, string Slug, string Description, string Icon, string Color, int SortOrder, string? NameEn);

internal sealed record DemoModule(
    Guid Id, string Code, string Name, string Description, Guid CategoryId, string Kind, int Priority, string Status, bool IsBuilt,
    string Icon, string? Route, string? NameEn);

internal sealed record DemoPlan(Guid Id, string Name, string Slug, string Description, long MonthlyPrice, int SortOrder, string? NameEn);

internal sealed record DemoLink(Guid Id, Guid PlanId, Guid OtherId);

internal sealed record DemoGroup(Guid Id, string Name, string Code, string City, Guid PlanId, Guid SubscriptionId);

internal sealed record DemoSchool(Guid Id, DemoGroup Group, string Name, string Code, string Level, string City);

internal sealed record DemoAssignment(DemoPerson Person, Guid CategoryId, bool CanWrite);

internal sealed record DemoPerson(Guid Id, string Email, string Name, string City, string? Role, Guid? GroupId, Guid? SchoolId);

/// <summary>
/// Invents the demo network: the same one each time, but for its ids. Group 1 lives on Premium, group 2 on Essentiel, group 3 on Gratuit,
/// and so on round.
/// </summary>
internal sealed class DemoCast
{
    private static readonly string[] Cities = [
        "Brazzaville", "Pointe-Noire", "Dolisie", "Nkayi", "Ouesso", "Owando", "Impfondo", "Kinkala", "Madingou", "Sibiti", "Gamboma",
        "Djambala"];
    private static readonly string[] FirstNames = [
        "Orel", "Marie", "Jean", "Grâce", "Prince", "Chancelvie", "Aimé", "Divine", "Rodrigue", "Merveille", "Fabrice", "Ornella", "Gildas",
        "Ruth", "Serge", "Nadège", "Christ", "Bénédicte", "Arsène", "Carine", "Junior", "Espérance", "Wilfrid", "Sandrine"];
    private static readonly string[] LastNames = [
        "Mboungou", "Nkounkou", "Samba", "Okemba", "Massamba", "Loemba", "Makaya", "Ngoma", "Itoua", "Bemba", "Mouanda", "Tchicaya",
        "Ondongo", "Malonga", "Moukala", "Ngatsé", "Kimbembé", "Bouanga", "Obambi", "Mabiala", "Ibara", "Poaty", "Nganga", "Elenga"];
    private static readonly string[] Virtues = [
        "Excellence", "Avenir", "Espérance", "Lumière", "Horizon", "Réussite", "Savoir", "Concorde", "Étoile", "Renaissance", "Sagesse",
        "Progrès", "Alliance", "Fraternité", "Baobab", "Fleuve", "Palmier", "Aurore", "Harmonie", "Unité"];
    private static readonly (
        string Level,
        string Kind)[] Levels = [
        ("secondary", "Lycée"), ("lower_secondary", "Collège"), ("primary", "École primaire"), ("technical", "Lycée technique"),
        ("preschool", "École maternelle")];
    private static readonly string[] SchoolNames = [
        "Moderne", "de la Paix", "Saint-Exupéry", "du Centre", "Savorgnan", "de l’Amitié", "Nganga-Édouard", "des Rapides", "du Plateau",
        "de la Liberté", "Victor-Schœlcher", "Sainte-Anne"];
    private static readonly string[] StaffRoles =
        ["teacher", "teacher", "secretary", "teacher", "bursar", "teacher", "deputy_head", "teacher", "supervisor", "teacher", "librarian"];

    // What each role works with, its own first: there it writes, elsewhere it reads.
    private static readonly Dictionary<string, string[]> Work = new()
    {
        ["teacher"] = ["pedagogie", "scolarite", "communication"],
        ["secretary"] = ["scolarite", "communication", "vie-scolaire"],
        ["bursar"] = ["finances", "scolarite", "communication"],
        ["deputy_head"] = ["pedagogie", "scolarite", "vie-scolaire"],
        ["supervisor"] = ["vie-scolaire", "scolarite", "communication"],
        ["librarian"] = ["ressources", "pedagogie", "communication"],
    };

    private readonly Random _random = new(1325);
    private readonly Dictionary<Guid, string> _activeModules = [];

    private readonly bool _elsewhere;

    /// <param name="groups">How many groups.</param>
    /// <param name="schools">How many schools.</param>
    /// <param name="people">How many people.</param>
    /// <param name="elsewhere">
    /// Whether the modules that this program has no pages for are applications elsewhere; otherwise they are not built yet.
    /// </param>
    public DemoCast(int groups, int schools, int people, bool elsewhere)
    {
        _elsewhere = elsewhere;
        Start = DateTime.UtcNow.Date.AddMonths(-3);
        Catalogue();
        Offers();
        for (var i = 1; i <= groups; i++)
        {
            // Premium, Essentiel, Gratuit, Pro, round and round.
            var plan = Plans[((int[])[2, 1, 0, 3])[(i - 1) % 4]];
            var number = i <= Virtues.Length ? "" : " " + Roman((i - 1) / Virtues.Length + 1);
            Groups.Add(new DemoGroup(
                Guid.CreateVersion7(), $"Groupe scolaire {Virtues[(i - 1) % Virtues.Length]}{number}", Invariant($"g{i:000}"),
                Cities[(i - 1) % Cities.Length], plan.Id, Guid.CreateVersion7()));
        }
        for (var i = 1; i <= schools; i++)
        {
            // School n belongs to group n, round and round, so that head.s0001 is of group 1 and head.s0002 of group 2.
            var group = Groups[(i - 1) % groups];
            var (level, kind) = Levels[(i - 1) / groups % Levels.Length];
            var city = i <= groups ? group.City : Cities[_random.Next(Cities.Length)];
            Schools.Add(new DemoSchool(
                Guid.CreateVersion7(), group, $"{kind} {SchoolNames[(i - 1) / groups % SchoolNames.Length]} de {city}",
                Invariant($"s{i:0000}"), level, city));
        }
        Staff(people);
        RowCount = Categories.Count + Modules.Count + Plans.Count + PlanCategories.Count + PlanModules.Count + 2 * groups + schools
            + 3 * people + Assignments.Count();
    }

    public DateTime Start { get; }
    public int RowCount { get; }
    public List<DemoCategory> Categories { get; } = [];
    public List<DemoModule> Modules { get; } = [];
    public List<DemoPlan> Plans { get; } = [];
    public List<DemoLink> PlanCategories { get; } = [];
    public List<DemoLink> PlanModules { get; } = [];
    public List<DemoGroup> Groups { get; } = [];
    public List<DemoSchool> Schools { get; } = [];
    public List<DemoPerson> People { get; } = [];

    /// <summary>Heads have every category, the others those of their work, in their school.</summary>
    public IEnumerable<DemoAssignment> Assignments =>
        from person in People
        where person.SchoolId is not null
        from slug in person.Role == "head" ? Categories.Select(c => c.Slug) : Work[person.Role!]
        select new DemoAssignment(
            person, Categories.Single(c => c.Slug == slug).Id, person.Role == "head" || slug == Work[person.Role!][0]);

    public string ActiveModules(Guid planId)
    {
        if (!_activeModules.TryGetValue(planId, out var json))
        {
            var categories = PlanCategories.Where(l => l.PlanId == planId).Select(l => l.OtherId).ToHashSet();
            var modules = PlanModules.Where(l => l.PlanId == planId).Select(l => l.OtherId).ToHashSet();
            json = JsonSerializer.Serialize(
                Modules.Where(m => m.Status == "active" && m.IsBuilt && (modules.Contains(m.Id) || categories.Contains(m.CategoryId)))
                .ToDictionary(m => m.Code, _ => true));
            _activeModules[planId] = json;
        }
        return json;
    }

    /// <summary>What is called otherwise in English.</summary>
    private static readonly Dictionary<string, string> English = new()
    {
        ["Scolarité"] = "Schooling",
        ["Gestion des inscriptions"] = "Enrolment",
        ["Gestion des classes"] = "Classes",
        ["Emploi du temps"] = "Timetable",
        ["Présences et absences"] = "Attendance",
        ["Pédagogie"] = "Teaching",
        ["Formation"] = "Courses",
        ["Notes et bulletins"] = "Marks and reports",
        ["Cahier de texte"] = "Class diary",
        ["Finances"] = "Finance",
        ["Frais de scolarité"] = "School fees",
        ["Caisse et dépenses"] = "Cash and expenses",
        ["Paie du personnel"] = "Payroll",
        ["Campagnes"] = "Campaigns",
        ["Messagerie interne"] = "Internal messages",
        ["Annonces"] = "Announcements",
        ["Vie scolaire"] = "School life",
        ["Cantine"] = "Canteen",
        ["Infirmerie"] = "Sickbay",
        ["Ressources humaines"] = "Human resources",
        ["Gestion d’équipe"] = "Team management",
        ["Contrats et congés"] = "Contracts and leave",
        ["Ressources"] = "Resources",
        ["Bibliothèque"] = "Library",
        ["Laboratoire"] = "Laboratory",
        ["Inventaire"] = "Inventory",
        ["Pilotage"] = "Steering",
        ["Tableau de bord du groupe"] = "Group dashboard",
        ["Rapports officiels"] = "Official reports",
        ["Palmarès"] = "Honours",
        ["Gratuit"] = "Free",
        ["Essentiel"] = "Essential",
    };

    private void Catalogue()
    {
        Category("Scolarité", "green", "school", "Élèves, classes, inscriptions",
            ("Gestion des inscriptions", "Dossiers, listes d’attente, réinscriptions", "clipboard", "core"),
            ("Gestion des classes", "Effectifs, titulaires, salles", "users", "core"),
            ("Emploi du temps", "Grilles, remplacements, conflits", "calendar", "core"),
            ("Présences et absences", "Appels, justificatifs, alertes", "check", "premium"));
        Category("Pédagogie", "blue", "book", "Cours, notes, bulletins",
            ("Formation", "Cours, évaluations, certificats", "book", "premium"),
            ("Notes et bulletins", "Compositions, moyennes, conseils", "medal", "core"),
            ("Cahier de texte", "Leçons données, devoirs à faire", "file", "option"));
        Category("Finances", "orange", "coins", "Frais, caisse, salaires",
            ("Frais de scolarité", "Échéanciers, reçus, relances", "coins", "premium"),
            ("Caisse et dépenses", "Journal, pièces, clôture", "cart", "premium"),
            ("Paie du personnel", "Bulletins, avances, états", "briefcase", "option"));
        Category("Communication", "purple", "megaphone", "Familles et partenaires",
            ("Campagnes", "Messages aux familles et partenaires", "mail", "premium"),
            ("Messagerie interne", "Échanges entre collègues", "chat", "core"),
            ("Annonces", "Affichage, rappels, urgences", "bell", "core"));
        Category("Vie scolaire", "red", "heart", "Cantine, transport, santé",
            ("Cantine", "Menus, inscriptions, passages", "utensils", "option"),
            ("Transport", "Lignes, arrêts, ponctualité", "bus", "option"), ("Infirmerie", "Passages, fiches, vaccins", "heart", "option"));
        Category("Ressources humaines", "teal", "briefcase", "Équipes et contrats",
            ("Gestion d’équipe", "Postes, équipes, responsabilités", "users", "core"),
            ("Contrats et congés", "Dossiers, soldes, demandes", "file", "premium"));
        Category("Ressources", "gold", "library", "Bibliothèque, laboratoire, matériel",
            ("Bibliothèque", "Fonds, prêts, retards", "library", "option"),
            ("Laboratoire", "Séances, produits, sécurité", "flask", "option"),
            ("Inventaire", "Matériel, salles, entretien", "list", "premium"));
        Category("Pilotage", "slate", "chart", "Indicateurs et rapports",
            ("Tableau de bord du groupe", "Indicateurs de toutes les écoles", "chart", "admin"),
            ("Rapports officiels", "Statistiques, inspections", "file", "admin"),
            ("Palmarès", "Résultats, mentions, prix", "trophy", "option"));
    }

    private void Offers()
    {
        Plan("Gratuit", "Pour commencer : une petite école et l’essentiel", 0, ["scolarite"], ["messagerie-interne"]);
        Plan(
            "Essentiel", "La scolarité complète et les échanges", 25_000, ["scolarite", "pedagogie"],
            ["messagerie-interne", "annonces", "gestion-equipe"]);
        Plan(
            "Premium", "Finances, campagnes et vie scolaire en plus", 75_000,
            ["scolarite", "pedagogie", "finances", "communication", "ressources-humaines"],
            ["bibliotheque", "inventaire", "tableau-bord-groupe"]);
        Plan("Pro", "Tout, pour les grands réseaux", 150_000, [.. Categories.Select(c => c.Slug)], []);
    }

    private void Plan(string name, string description, long price, string[] categories, string[] modules)
    {
        var plan =
            new DemoPlan(Guid.CreateVersion7(), name, Platform.Text.Codes.Normalize(name), description, price, (Plans.Count + 1) * 10,
                English.GetValueOrDefault(name));
        Plans.Add(plan);
        PlanCategories.AddRange(
            categories.Select(slug => new DemoLink(Guid.CreateVersion7(), plan.Id, Categories.Single(c => c.Slug == slug).Id)));
        PlanModules.AddRange(
            modules.Select(code => new DemoLink(Guid.CreateVersion7(), plan.Id, Modules.Single(m => m.Code == code).Id)));
    }

    private void Category(
        string name, string color, string icon, string description,
        params (string Name, string Description, string Icon, string Kind)[] modules)
    {
        var category = new DemoCategory(
            Guid.CreateVersion7(), name, Platform.Text.Codes.Normalize(name), description, icon, color, (Categories.Count + 1) * 10,
            English.GetValueOrDefault(name));
        Categories.Add(category);
        foreach (var (index, module) in modules.Index())
        {
            var code = module.Name switch
            {
                "Gestion des inscriptions" => "gestion-inscriptions",
                "Gestion des classes" => "gestion-classes",
                "Tableau de bord du groupe" => "tableau-bord-groupe",
                _ => Platform.Text.Codes.Normalize(module.Name),
            };
            Modules.Add(
                new DemoModule(Guid.CreateVersion7(), code, module.Name, module.Description, category.Id, module.Kind, (index + 1) * 10,
                code is "transport" ? "inactive" : "active", code is "campagnes" || _elsewhere && code is not ("palmares" or "laboratoire"),
                module.Icon == "check" ? "clipboard" : module.Icon,
                code is "campagnes" ? "/campaigns" : _elsewhere ? $"https://{code}.exemple.cg/" : null,
                English.GetValueOrDefault(module.Name)));
        }
    }

    private void Staff(int people)
    {
        People.Add(Person("super@sankore.test", "Amina Nkounkou", "Brazzaville", null, null, null));
        foreach (var group in Groups)
        {
            People.Add(Person($"admin.{group.Code}@sankore.test", Name(), group.City, "group_admin", group.Id, null));
        }
        foreach (var school in Schools)
        {
            People.Add(Person(
                $"head.{school.Code}@sankore.test", school.Code == "s0001" ? "Orel Mboungou"
                : Name(), school.City, "head", school.Group.Id, school.Id));
        }
        var counters = new Dictionary<(string Role, string School), int>();
        for (var i = 0; People.Count < people; i++)
        {
            var school = Schools[i % Schools.Count];
            var role = StaffRoles[i / Schools.Count % StaffRoles.Length];
            var number = counters[(role, school.Code)] = counters.GetValueOrDefault((role, school.Code)) + 1;
            People.Add(Person(
                Invariant($"{role.Replace('_', '-')}.{school.Code}.{number}@sankore.test"), Name(), school.City, role, school.Group.Id,
                school.Id));
        }
    }

    private static DemoPerson Person(string email, string name, string city, string? role, Guid? groupId, Guid? schoolId) =>
        new(Guid.CreateVersion7(), email, name, city, role, groupId, schoolId);

    private string Name() => $"{FirstNames[_random.Next(FirstNames.Length)]} {LastNames[_random.Next(LastNames.Length)]}";

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static string Roman(int n) =>
        string.Concat(Enumerable.Repeat("X", n / 10)) + ((string[])["", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX"])[n % 10];
}
